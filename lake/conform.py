"""Cutting a frame to a table's schema, just before it is written."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from lake.errors import SchemaError


def conform(rows: DataFrame, schema: StructType, *, table: str) -> DataFrame:
    """Return ``rows`` with exactly the columns of ``schema``, in its order and types.

    Raises:
        SchemaError: a column is absent. Spark would fill a nullable one with nulls.
    """
    names = schema.fieldNames()
    if not set(names) <= set(rows.columns):
        raise SchemaError.missing(table, names, rows.columns)
    return rows.select(*names).to(schema)
