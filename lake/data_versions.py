"""Which version of a table holds the same rows as another: commits that only store rows anew make versions, too.

A table's *data version* is the version of the last commit that may have changed a row, a column or a type. Maintenance
(``OPTIMIZE``, ``VACUUM``, table properties) moves the version on and the data version not, so whoever remembers what it
has read remembers the data version. To read one, take the newest version that holds the same rows: its files are the
compacted ones, and those that ``VACUUM`` keeps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import SparkSession

# What is not named here counts as a change, as does an operation that a later Delta invents.
_STORES_ANEW = frozenset(
    {
        "CLUSTER BY",
        "COMPUTE STATS",
        "DOMAIN METADATA CLEANUP",
        "OPTIMIZE",
        "REORG",
        "SET TBLPROPERTIES",
        "UNSET TBLPROPERTIES",
        "UPGRADE PROTOCOL",
        "VACUUM END",
        "VACUUM START",
    }
)
_LOOKED_AT_FIRST = 8
DATA_VERSION = "data_version"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a table's history."""

    version: int
    at: datetime
    operation: str
    metadata: str | None

    @property
    def may_change_data(self) -> bool:
        return self.operation not in _STORES_ANEW

    @property
    def told(self) -> dict[str, object]:
        """What the run that made it left in it."""
        try:
            found = json.loads(self.metadata or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def history(spark: SparkSession, place: str, *, newest: int | None = None) -> list[Commit]:
    """The commits of a table that Delta still lists, newest first: all of them, or so many."""
    limit = "" if newest is None else f" LIMIT {int(newest)}"
    rows = spark.sql(f"DESCRIBE HISTORY {place}{limit}").collect()
    return [
        Commit(
            int(row["version"]), row["timestamp"].replace(tzinfo=UTC), row["operation"], row["userMetadata"]
        )
        for row in rows
    ]


def data_version(spark: SparkSession, place: str) -> int | None:
    """The data version of a table that exists; None where nothing was committed yet."""
    for newest in (1, _LOOKED_AT_FIRST):
        changed = _changes(history(spark, place, newest=newest))
        if changed:
            return changed[0]
    commits = history(spark, place)
    return last_change(commits) if commits else None


def last_change(commits: Sequence[Commit]) -> int:
    """The data version that all these commits of a table, newest first, leave it at."""
    changed = _changes(commits)
    if changed:
        return changed[0]
    # Delta lists no commit of a month ago. What maintenance noted still tells; else it counts as a change.
    noted = commits[-1].told.get(DATA_VERSION)
    return noted if isinstance(noted, int) else commits[-1].version


def _changes(commits: Sequence[Commit]) -> list[int]:
    return [commit.version for commit in commits if commit.may_change_data]


def newest_alike(spark: SparkSession, place: str, version: int) -> int:
    """The newest version that holds the same rows as ``version``."""
    latest = history(spark, place, newest=1)
    if not latest or latest[0].version <= version:
        return version
    later = history(spark, place, newest=latest[0].version - version)
    stored_anew = {commit.version for commit in later if not commit.may_change_data}
    while version + 1 in stored_anew:
        version += 1
    return version
