"""Which columns a SQL expression or a query reads, as Spark's own analyzer resolves their names."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.declare import SqlSource
from features.derived_source import events_of
from features.source import Source
from lake.errors import SchemaError

_NOTHING = "_nothing"


def columns_read(sql: str, rows: DataFrame) -> tuple[str, ...]:
    """The columns of ``rows`` that an expression reads, in the order in which they are missed.

    The expression is analyzed over no column at all, then over those that were found missing, until it is resolved.

    Raises:
        AnalysisException: it is no expression over ``rows``.
    """
    by_name = {name.lower(): name for name in rows.columns}
    if sql.lower() in by_name:
        return (by_name[sql.lower()],)
    found: list[str] = []
    while True:
        offered = rows.select(F.lit(None).alias(_NOTHING), *(F.col(f"`{name}`") for name in found))
        try:
            _ = offered.select(F.expr(sql)).schema
        except AnalysisException as error:
            missed = by_name.get(_missed(error))
            if missed is None or missed in found:
                raise
            found.append(missed)
        else:
            return tuple(found)


def query_reads(query: SqlSource, sources: Mapping[str, Source]) -> list[tuple[str, str]]:
    """Logs and columns that a query reads: those without which it fails or gives other columns."""
    whole = events_of(query, sources).rows.schema
    found = []
    for log in query.logs:
        rows = sources[log].rows
        for column in rows.columns:
            without = {**sources, log: Source(rows.drop(column), sources[log].key)}
            try:
                is_read = events_of(query, without).rows.schema != whole
            except SchemaError:
                is_read = True
            if is_read:
                found.append((log, column))
    return found


def _missed(error: AnalysisException) -> str:
    """The first part of the name that could not be resolved, in lower case; empty where the fault is another."""
    name = (error.getMessageParameters() or {}).get("objectName", "")
    is_missing = str(error.getCondition()).startswith("UNRESOLVED_COLUMN")
    return name.split("`")[1].lower() if is_missing and "`" in name else ""
