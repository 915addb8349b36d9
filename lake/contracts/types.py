"""The column types a contract may name."""

from __future__ import annotations

import re

from pyspark.sql.types import (
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    TimestampType,
)

TYPE_PATTERN = r"^(string|long|double|boolean|timestamp|decimal\(\d{1,2},\d{1,2}\))$"

_PLAIN: dict[str, DataType] = {
    "string": StringType(),
    "long": LongType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "timestamp": TimestampType(),
}


def spark_type(name: str) -> DataType:
    """The Spark type of a contract's type name, which fits ``TYPE_PATTERN``."""
    if name in _PLAIN:
        return _PLAIN[name]
    precision, scale = (int(digits) for digits in re.findall(r"\d+", name))
    return DecimalType(precision, scale)
