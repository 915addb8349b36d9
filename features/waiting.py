"""Corrections and retractions of rows that have not come."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.source import Source
from lake.contracts import REVISION


def waiting_revisions(source: Source, begin: datetime, end: datetime) -> DataFrame:
    """The revisions that became known in [begin, end) and mean a row that was not known before ``end``.

    They count for nothing until the row comes.

    Args:
        source: one whose rows can be taken back.
    """
    then, is_row = F.col("known_at") < F.lit(end), F.col(REVISION).isNull()
    came = source.rows.where(then & ~is_row & (F.col("known_at") >= F.lit(begin)))
    rows = source.rows.where(then & is_row).select(*source.key)
    return came.join(rows, on=list(source.key), how="left_anti")
