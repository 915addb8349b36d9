"""Schemas written one line a column: name, type and what it means."""

from __future__ import annotations

from pyspark.sql.types import (
    BooleanType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

_TYPES: dict[str, DataType] = {
    "string": StringType(),
    "long": LongType(),
    "int": IntegerType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "timestamp": TimestampType(),
    "versions": MapType(StringType(), LongType()),
    "counts": MapType(StringType(), LongType()),
}


def described(*columns: str) -> StructType:
    """A schema of nullable columns from lines such as ``"size long: Bytes"``; ``versions`` maps tables to versions,
    ``counts`` names to numbers.

    Raises:
        KeyError: a type that is none of the above.
    """
    fields = []
    for column in columns:
        declared, comment = column.split(": ", 1)
        name, type_name = declared.split(" ")
        fields.append(StructField(name, _TYPES[type_name], nullable=True, metadata={"comment": comment}))
    return StructType(fields)
