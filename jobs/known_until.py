"""How far events of a lake reach, in what is known rather than by a clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

NOTHING_KNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def known_until(events: Iterable[DataFrame]) -> datetime:
    """The instant just after the newest event became known (UTC); 1970 where there are no events."""
    ends = [rows.agg(F.max("known_at").alias("known_at")).head() for rows in events]
    found = [end["known_at"].replace(tzinfo=UTC) for end in ends if end and end["known_at"]]
    return max(found) + timedelta(microseconds=1) if found else NOTHING_KNOWN
