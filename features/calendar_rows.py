"""The rows of a calendar: one per key and step, from when the key was first known."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.declare import Calendar
from features.source import text_of

_FIRST, _LAST, _STEP = "_first", "_last", "_step"

Span = tuple[datetime, datetime]


def known_from() -> Column:
    """When an event of the source is there to be seen."""
    return F.greatest("event_at", "known_at")


def calendar_rows(
    calendar: Calendar, source: DataFrame, *, row: str, as_of: str, span: Span | None = None
) -> DataFrame:
    """Every step after a key was first known.

    Args:
        source: events with the key.
        row: name of the row id.
        as_of: name of the instant.
        span: the half-open range of steps. None is up to the first step after the source's last event.

    Returns:
        One row per key and step: the instant, the row id (key and instant as text), the entity's keys. Keys that are
        null have no steps.
    """
    step = F.lit(calendar.every.micros).cast("long")
    keys = [F.col(theirs).alias(own) for theirs, own in zip(calendar.keys, calendar.entity.keys, strict=True)]
    seen = F.unix_micros(known_from())
    firsts = source.groupBy(*keys).agg(F.min(seen).alias(_FIRST))
    for key in calendar.entity.keys:
        firsts = firsts.where(F.col(key).isNotNull())
    # Strictly after: at the very instant a key is not known yet.
    first = _at_or_after(F.col(_FIRST) + 1, step)
    if span is None:
        firsts = firsts.crossJoin(F.broadcast(source.agg(F.max(seen).alias(_LAST))))
        last = _at_or_after(F.col(_LAST) + 1, step)
    else:
        begin, end = (F.unix_micros(F.lit(moment)) for moment in span)
        first, last = F.greatest(first, _at_or_after(begin, step)), _at_or_after(end, step) - step
    steps = F.when(first <= last, F.sequence(first, last, step))
    every = firsts.select(*calendar.entity.keys, F.explode(steps).alias(_STEP))
    rows = every.withColumn(as_of, F.timestamp_micros(_STEP))
    instant = F.date_format(as_of, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS")
    return rows.select(
        as_of, F.concat_ws(" ", text_of(calendar.entity.keys), instant).alias(row), *calendar.entity.keys
    )


def _at_or_after(micros: Column, step: Column) -> Column:
    """The first step that is not before an instant, in whole microseconds since 1970."""
    return micros + F.pmod(-micros, step)
