"""Which rows of a source began to count, or became known, in a span of time; instants in microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def began_between(since: int | None, until: int) -> Column:
    """The rows that began to count in (since, until]."""
    by_then = (F.col("event_at") <= instant(until)) & (F.col("known_at") <= instant(until))
    return by_then if since is None else by_then & begins_after(since)


def begins_after(since: int) -> Column:
    """The rows that begin to count after an instant."""
    return (F.col("event_at") > instant(since)) | (F.col("known_at") > instant(since))


def known_between(since: int | None, until: int | None) -> Column:
    """The rows that became known in (since, until]."""
    later = F.lit(True) if since is None else F.col("known_at") > instant(since)
    return later if until is None else later & (F.col("known_at") <= instant(until))


def instant(micros: int) -> Column:
    """An instant as sources have it."""
    return F.timestamp_micros(F.lit(micros))


def micros_of(at: datetime) -> int:
    """An instant in microseconds."""
    return (at - _EPOCH) // _MICROSECOND
