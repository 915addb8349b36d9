"""Revised rows of hot keys, each with the span in which it is in effect, so that a section can do without the others.

It is what ``revisions`` finds in a task that has all rows of a key, found by Spark for keys that no task has whole.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from features.windows.block import (
    COUNTS,
    IS_RETRACTION,
    IS_REVISION,
    IS_SETTLED,
    KEY,
    KNOWN,
    OF_VALUES,
    ROLE,
    ROW,
    STREAM,
    TIME,
    TOLD,
)
from features.windows.intervals import FOREVER
from features.windows.plan import StreamPlan


def settled(rows: DataFrame, streams: Sequence[StreamPlan], keys: Collection[str | int]) -> DataFrame:
    """The rows, of which those of ``keys`` that may be revised stand for themselves alone.

    Args:
        rows: probes and events as they are exchanged.

    Returns:
        In place of such a row and its revisions, one row for each of them that ever counts: ``known`` is since when,
        ``told`` until when. Another exchange, of these rows alone.
    """
    revised = [stream.stream for stream in streams if stream.is_revised]
    if not revised or not keys:
        return rows
    is_theirs = F.coalesce(F.col(KEY).isin(list(keys)), F.lit(False)) & F.col(STREAM).isin(revised)
    return rows.where(~is_theirs).unionByName(in_effect(rows.where(is_theirs)))


def until(streams: Sequence[StreamPlan]) -> Column:
    """Until when a row counts, in microseconds, where revised rows are settled."""
    revised = [stream.stream for stream in streams if stream.is_revised]
    if not revised:
        return F.lit(FOREVER)
    return F.when(F.col(STREAM).isin(revised), F.col(TOLD)).otherwise(FOREVER)


def in_order(rows: DataFrame) -> WindowSpec:
    """A row and its revisions, as they take effect; what else is told at one instant by its time and its values."""
    ties = [name for name in rows.columns if name.startswith(OF_VALUES)]
    return Window.partitionBy(KEY, STREAM, ROW).orderBy(
        has_role(IS_REVISION), TOLD, has_role(IS_RETRACTION), TIME, *ties
    )


def in_effect(rows: DataFrame) -> DataFrame:
    """The rows and revisions that ever count: ``known`` is since when, ``told`` until when.

    Args:
        rows: events as they are exchanged, of streams that may be revised, with all that is known of their keys.
    """
    of_row = in_order(rows)
    # Without the row itself its revisions wait for ever.
    waits = F.first(has_role(IS_REVISION)).over(of_row)
    arrived = F.when(waits, FOREVER).otherwise(F.first(KNOWN).over(of_row))
    began = rows.withColumn(KNOWN, F.greatest(F.col(KNOWN), arrived))
    ended = began.withColumn(TOLD, F.coalesce(F.lead(KNOWN).over(of_row), F.lit(FOREVER)))
    return ended.where(has_role(COUNTS) & (F.greatest(TIME, KNOWN) < F.col(TOLD))).withColumn(
        ROLE, F.lit(COUNTS | IS_SETTLED)
    )


def counts(stream: StreamPlan) -> Column:
    """Whether an event of a stream counts, and does not only say that others do not."""
    return has_role(COUNTS) if stream.is_revised else F.lit(True)


def has_role(role: int) -> Column:
    """Whether a row has one of these roles."""
    return F.col(ROLE).bitwiseAND(F.lit(role)) != 0
