"""Least and greatest values of a table's columns, which Delta keeps file by file in the log of its commits.

They outlive the rows there: of columns that may name a person none are kept. Tables say so by their layout; those
that were made before there were layouts are told so here.
"""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql.types import (
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructType,
    TimestampType,
)

from lake.layout import STATISTICS
from lake.tables import Lake

_MEASURED = (DecimalType, DoubleType, IntegerType, LongType, StringType, TimestampType)


def statistics_but(schema: StructType, hidden: Collection[str]) -> dict[str, str]:
    """The table property by which Delta keeps such values of every column but the hidden ones."""
    measured = [field.name for field in schema if isinstance(field.dataType, _MEASURED)]
    return {STATISTICS: ",".join(f"`{name}`" for name in measured if name not in hidden)} if hidden else {}


def hide(lake: Lake, table: str, hidden: Collection[str]) -> None:
    """Let Delta keep no such values of these columns from now on, where the table has no rule of its own."""
    wanted = statistics_but(lake.read(table).schema, hidden).get(STATISTICS)
    if wanted is not None and STATISTICS not in lake.properties(table):
        lake.set_property(table, STATISTICS, wanted)
