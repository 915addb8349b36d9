"""Seals: what has been looked at is not seen otherwise later.

Features built up to an instant are sealed there: whatever is ingested afterwards becomes known no earlier, so that a
later rebuild sees exactly what the build saw. The wall clock never enters.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import functions as F

from lake.described import described
from lake.tables import Lake, TableSpec

SEALS = TableSpec(
    "seals",
    "One row per seal; the greatest holds: nothing ingested from then on is known before it",
    described(
        "sealed_at timestamp: Instant up to which features were built (UTC)",
        "run_id string: Run that sealed it",
    ),
)


def latest_seal(lake: Lake) -> datetime | None:
    """The instant before which nothing new can become known; None where nothing was ever built."""
    if not lake.exists(SEALS.name):
        return None
    found = lake.read(SEALS.name).agg(F.max("sealed_at").alias("sealed_at")).head()
    return found["sealed_at"].replace(tzinfo=UTC) if found and found["sealed_at"] else None


def seal(lake: Lake, until: datetime) -> None:
    """Seal everything known before ``until``; a later seal stays."""
    before = latest_seal(lake)
    if before is not None and before >= until:
        return
    lake.ensure(SEALS)
    lake.append(SEALS.name, lake.spark.createDataFrame([(until, lake.stamp.run_id)], SEALS.schema))
