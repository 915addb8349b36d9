"""Values that no aggregate can overlook, of the type of their column."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql.types import (
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
)

_DIGITS = 9
# Of an integer of 64 bits, so that a dozen of them can be added up.
_SAFE_DIGITS = 16
_WHOLE: dict[type[DataType], int] = {
    ByteType: 100,
    ShortType: 30_000,
    IntegerType: 10**_DIGITS,
    LongType: 10**_DIGITS,
}


def absurd(kind: DataType, value: object) -> object:
    """A number far above all others; anything else stays as it is, so that conditions let it pass."""
    match kind:
        case DecimalType():
            digits = max(0, min(_DIGITS, kind.precision - kind.scale, _SAFE_DIGITS - kind.scale))
            return Decimal(10**digits - 1)
        case DoubleType() | FloatType():
            return float(10**_DIGITS)
        case _:
            return _WHOLE.get(type(kind), value)


def identifier(kind: DataType, text: str, number: int, value: object) -> object:
    """An id that no real row has; of a type that is neither text nor a whole number, the ``value`` there is."""
    if isinstance(kind, StringType):
        return text
    return -1 - number if type(kind) in _WHOLE or isinstance(kind, DecimalType) else value
