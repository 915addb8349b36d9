"""How a table is stored: what Delta keeps the ranges of in every file, by what it puts rows together, and for how long
it keeps what was replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from lake.quoted import quoted

STATISTICS = "delta.dataSkippingStatsColumns"
REMOVED_FILES = "delta.deletedFileRetentionDuration"
LISTED_COMMITS = "delta.logRetentionDuration"
# As long as Delta lists commits, for a version that is not listed cannot be read.
RETENTION = timedelta(days=30)
# Other readers need reader version 3 for them, and no table here sees single rows deleted often.
_DELETION_VECTORS = {"delta.enableDeletionVectors": "false"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is stored; the same rows and columns, whatever it says.

    Attributes:
        ranges: columns of which every file keeps the least and greatest value, so that reads which ask for a range or
            a value leave files out; none named are the first 32.
        clustered_by: columns by whose values ``OPTIMIZE`` puts rows together; some of ``ranges``.
    """

    ranges: tuple[str, ...] = ()
    clustered_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        apart = set(self.clustered_by) - set(self.ranges)
        if apart:
            raise ValueError(
                f"{', '.join(sorted(apart))} is clustered by, and has no range; name it in ranges"
            )

    @property
    def properties(self) -> dict[str, str]:
        """Delta's table properties for it."""
        ranges = {STATISTICS: ",".join(self.ranges)} if self.ranges else {}
        # Delta goes by the property, whatever VACUUM is told.
        return _DELETION_VECTORS | {REMOVED_FILES: interval(RETENTION)} | ranges

    @property
    def clause(self) -> str:
        """The part of ``CREATE TABLE`` that says how rows are put together."""
        return f"CLUSTER BY ({', '.join(self.clustered_by)})" if self.clustered_by else ""


@dataclass(frozen=True, slots=True)
class Stored:
    """How a table is stored now."""

    properties: Mapping[str, str]
    clustered_by: tuple[str, ...]
    files: int
    bytes: int
    created_at: datetime

    def changes(self, place: str, layout: Layout, properties: Mapping[str, str]) -> Iterator[str]:
        """The statements that make it stored as declared."""
        missing = [
            f"{quoted(name)} = {quoted(value)}"
            for name, value in properties.items()
            if self.properties.get(name) != value
        ]
        if missing:
            yield f"ALTER TABLE {place} SET TBLPROPERTIES ({', '.join(missing)})"
        if layout.clustered_by and self.clustered_by != layout.clustered_by:
            yield f"ALTER TABLE {place} {layout.clause}"


def stored(spark: SparkSession, place: str) -> Stored:
    """How a table that exists is stored."""
    row = spark.sql(f"DESCRIBE DETAIL {place}").collect()[0]
    return Stored(
        row["properties"] or {},
        tuple(row["clusteringColumns"] or ()),
        int(row["numFiles"]),
        int(row["sizeInBytes"]),
        row["createdAt"].replace(tzinfo=UTC),
    )


def interval(span: timedelta) -> str:
    """A span as table properties hold it."""
    return f"interval {int(span / timedelta(hours=1))} hours"
