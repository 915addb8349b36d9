"""Amounts of the spine row in one currency: multiplied by the rate that was known at its ``as_of``."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, IntegralType

from features.declare import Converted, Entity, Expression, Lookup, Rates, Spine
from lake.errors import SchemaError

PLACES = 4
_MONEY = DecimalType(38, PLACES)
# Few currencies have all the rows.
_SHARES = 32


def inputs(spine: Spine) -> dict[str, str]:
    """What the spine rows carry until they are converted: a column's name and the source's column it is."""
    amounts = {_amount(one): one.amount for one in spine.converted}
    return amounts | {f"_currency_{n}": currency for n, (currency, _) in enumerate(_pairs(spine))}


def rate_lookups(spine: Spine) -> list[Lookup]:
    """The look-ups of the rates; amounts of one currency column at the same rates share one."""
    return [
        Lookup(
            entity=_entity(number),
            source=rates.source,
            source_key=rates.currency,
            context=[Expression("rate", rates.rate)],
            order_by=rates.order_by,
            stale_after=rates.stale_after,
            spread=_SHARES,
            declared=_first(spine, currency, rates).declared,
        )
        for number, (currency, rates) in enumerate(_pairs(spine))
    ]


def with_conversions(rows: DataFrame, spine: Spine) -> DataFrame:
    """Add every converted amount and whether its rate was known, from the rates that were looked up.

    Raises:
        SchemaError: an amount or a rate is no exact number.
    """
    pairs = _pairs(spine)
    for one in spine.converted:
        number = pairs.index((one.currency, one.rates))
        looked_up = f"_rate_{number}_rate"
        _check(one, rows, _amount(one), looked_up)
        is_base = F.col(f"_currency_{number}") == one.rates.into
        # At rate 1 nothing is multiplied, so that no digit is lost.
        value = F.when(is_base, F.col(_amount(one)).cast(_MONEY)).otherwise(
            (F.col(_amount(one)) * F.col(looked_up)).cast(_MONEY)
        )
        has_rate = F.coalesce(is_base | F.col(looked_up).isNotNull(), F.lit(False))
        rows = rows.withColumns({one.name: value, one.has_rate: has_rate})
    return rows


def _pairs(spine: Spine) -> list[tuple[str, Rates]]:
    """Each currency column with the rates it is converted at, once."""
    found: list[tuple[str, Rates]] = []
    for one in spine.converted:
        if (one.currency, one.rates) not in found:
            found.append((one.currency, one.rates))
    return found


def _first(spine: Spine, currency: str, rates: Rates) -> Converted:
    return next(one for one in spine.converted if (one.currency, one.rates) == (currency, rates))


def _entity(number: int) -> Entity:
    return Entity(f"_rate_{number}", key=f"_currency_{number}")


def _amount(one: Converted) -> str:
    return f"_amount_of_{one.name}"


def _check(one: Converted, rows: DataFrame, *columns: str) -> None:
    said: Sequence[str] = (f"amount {one.amount}", f"rate {one.rates.rate} of {one.rates.source}")
    for what, column in zip(said, columns, strict=True):
        found = rows.schema[column].dataType
        if not isinstance(found, DecimalType | IntegralType):
            raise SchemaError(
                f"{one.declared}: {one.name}: {what} is {found.simpleString()}, and money is no float: "
                "declare it decimal(p,s) in the contract"
            )
