"""Old versions of tables, which hold what was removed until their files are gone too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from pyspark.sql import SparkSession

from lake.layout import REMOVED_FILES, interval
from lake.tables import Lake

# What Delta takes for safe: no reader and no writer is expected to need files that were replaced longer ago.
SAFE_HOURS = 168
_CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"


def vacuum(lake: Lake, table: str, hours: int) -> int:
    """Delete the files that only versions older than ``hours`` need.

    Returns:
        The version as which the table stands now.
    """
    if _marks_rows(lake, table):
        # Rows that are only marked as deleted are still in files that the table needs.
        lake.spark.sql(f"REORG TABLE {lake.place(table)} APPLY (PURGE)")
    with _kept_for(lake, table, hours), _allowed(lake.spark, hours):
        lake.spark.sql(f"VACUUM {lake.place(table)} RETAIN {int(hours)} HOURS")
    return lake.version(table) or 0


@contextmanager
def _kept_for(lake: Lake, table: str, hours: int) -> Iterator[None]:
    """Let the table itself keep replaced files so long: Delta goes by that, whatever VACUUM is told, if it is not 0."""
    kept, wanted = lake.properties(table).get(REMOVED_FILES), interval(timedelta(hours=hours))
    if hours == 0 or kept in {None, wanted}:
        yield
        return
    lake.set_property(table, REMOVED_FILES, wanted)
    try:
        yield
    finally:
        lake.set_property(table, REMOVED_FILES, str(kept))


def _marks_rows(lake: Lake, table: str) -> bool:
    described = lake.spark.sql(f"DESCRIBE DETAIL {lake.place(table)}").head()
    return described is not None and "deletionVectors" in (described["tableFeatures"] or [])


@contextmanager
def _allowed(spark: SparkSession, hours: int) -> Iterator[None]:
    """Let this one statement keep less than Delta takes for safe, where that was asked for."""
    if hours >= SAFE_HOURS:
        yield
        return
    before = spark.conf.get(_CHECK, None)
    spark.conf.set(_CHECK, "false")
    try:
        yield
    finally:
        if before is None:
            spark.conf.unset(_CHECK)
        else:
            spark.conf.set(_CHECK, before)
