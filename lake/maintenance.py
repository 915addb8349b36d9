"""What there is to do to how a table is stored, and doing it: no row, column or data version is another afterwards."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lake.conflicts import CONFLICTS
from lake.data_versions import DATA_VERSION, Commit, history, last_change
from lake.errors import LockedError, TrustlakeError
from lake.layout import LISTED_COMMITS, REMOVED_FILES, RETENTION, Layout, Stored, interval, stored
from lake.session_settings import FEW_LIST_TASKS, USER_METADATA, session_settings
from lake.tables import Lake

# A job reads tables as they were when it began, and goes on with replaced files; nothing runs for a week.
LEAST_RETENTION = timedelta(days=7)
# Delta's own, where a table says nothing.
_UNSAID = timedelta(days=7)
# Large enough to be read fast, and small enough that a range of days leaves files out.
FILE_BYTES = 128 * 1024 * 1024
SPARE_FILES = 8
_UNITS = {"hour": "hours", "day": "days", "week": "weeks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to do to one table.

    Attributes:
        before: how it is stored.
        changes: statements that make it stored as declared.
        is_compacted: it has many more files than its bytes need.
        removable: files that no version needs which is kept.
        readable_from: oldest data version whose rows can be read once they are removed; None where none is lost.
    """

    table: str
    version: int
    data_version: int
    before: Stored
    changes: tuple[str, ...]
    is_compacted: bool
    removable: tuple[str, ...]
    removable_bytes: int
    retain: timedelta
    readable_from: int | None

    def __bool__(self) -> bool:
        return bool(self.changes or self.is_compacted or self.removable)

    def __str__(self) -> str:
        parts = [f"{len(self.changes)} changes to how it is stored"] if self.changes else []
        if self.is_compacted:
            parts.append(f"{self.before.files:,} files of {_megabytes(self.before.bytes)} compacted")
        if self.removable:
            size = _megabytes(self.removable_bytes)
            parts.append(
                f"{len(self.removable):,} files of {size} removed that were replaced {_ago(self.retain)} ago"
            )
        return "; ".join(parts) or "nothing to do"

    @property
    def fingerprint(self) -> str:
        """Another for other work, and once it is done."""
        said = [self.version, self.changes, self.is_compacted, sorted(self.removable), str(self.retain)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


def find_work(
    lake: Lake,
    table: str,
    layout: Layout | None,
    properties: Mapping[str, str],
    *,
    retain: timedelta | None,
    now: datetime,
) -> Work:
    """Look at a table.

    Args:
        layout: how it is to be stored; None leaves it as it is.
        properties: table properties beside those of the layout.
        retain: for how long replaced files are to be kept from now on; None leaves it to the table.

    Raises:
        TrustlakeError: replaced files would be kept too short.
    """
    place = lake.place(table)
    before = stored(lake.spark, place)
    kept = _retention(place, before, retain if layout else None, is_laid_out=layout is not None)
    changes: list[str] = []
    if layout is not None:
        wanted = {**layout.properties, **properties, REMOVED_FILES: interval(kept)}
        if kept > RETENTION:
            wanted[LISTED_COMMITS] = interval(kept)
        changes = list(before.changes(place, layout, wanted))
    commits = history(lake.spark, place)
    removable = _removable(lake.spark, place, before, kept, now)
    return Work(
        table=table,
        version=commits[0].version,
        data_version=last_change(commits),
        before=before,
        changes=tuple(changes),
        is_compacted=before.files >= SPARE_FILES + 2 * -(-before.bytes // FILE_BYTES),
        removable=tuple(removable),
        removable_bytes=_bytes(lake.spark, removable),
        retain=kept,
        readable_from=_readable_from(commits, now - kept) if removable else None,
    )


def do(lake: Lake, work: Work) -> Stored:
    """Do it; safe to do again after a kill at any instant. Returns how the table is stored then.

    Raises:
        LockedError: another writer was faster.
    """
    place, hours = lake.place(work.table), int(work.retain / timedelta(hours=1))
    statements = [*work.changes, *([f"OPTIMIZE {place}"] if work.is_compacted else [])]
    told = json.loads(lake.stamp.metadata) | {DATA_VERSION: work.data_version}
    settings = FEW_LIST_TASKS | {
        USER_METADATA: json.dumps(told),
        "spark.databricks.delta.optimize.maxFileSize": str(FILE_BYTES),
        "spark.databricks.delta.optimize.minFileSize": str(FILE_BYTES // 2),
        # Two commits for each, which say no more than our own table.
        "spark.databricks.delta.vacuum.logging.enabled": "false",
    }
    try:
        with session_settings(lake.spark, settings):
            for statement in statements:
                lake.spark.sql(statement)
            if work.removable:
                lake.spark.sql(f"VACUUM {place} RETAIN {hours} HOURS")
    except CONFLICTS as error:
        raise LockedError(
            f"{place} was written by another process while it was stored anew; no row is lost; wait until no job runs "
            "that writes it, and run maintain_tables again"
        ) from error
    return stored(lake.spark, place)


def check_retention(whose: str, kept: timedelta) -> None:
    """Refuse to keep replaced files so short that somebody may miss them.

    Raises:
        TrustlakeError: it is less than a week.
    """
    if kept < LEAST_RETENTION:
        raise TrustlakeError(
            f"{whose} keeps replaced files for {_ago(kept)}, at least {_ago(LEAST_RETENTION)} are needed: jobs that "
            "run now would fail on files that are gone, and what runs, scores and models read could not be read again; "
            f"say --retain {_ago(LEAST_RETENTION)} or more"
        )


def _retention(place: str, before: Stored, retain: timedelta | None, *, is_laid_out: bool) -> timedelta:
    said = before.properties.get(REMOVED_FILES)
    kept = retain or (_parsed(place, said) if said else RETENTION if is_laid_out else _UNSAID)
    check_retention(f"{REMOVED_FILES} of {place}", kept)
    return kept


def _parsed(place: str, said: str) -> timedelta:
    match = re.fullmatch(r"\s*(?:interval\s+)?(\d+)\s+(hour|day|week)s?\s*", said, re.IGNORECASE)
    if match is None:
        raise TrustlakeError(
            f"{place} has {REMOVED_FILES} = {said!r}, and hours, days or weeks are understood; say --retain to set it"
        )
    return timedelta(**{_UNITS[match[2].lower()]: int(match[1])})


def _removable(spark: SparkSession, place: str, before: Stored, kept: timedelta, now: datetime) -> list[str]:
    if before.created_at > now - kept:
        # Delta would look through all folders to find that every file is too young.
        return []
    hours = int(kept / timedelta(hours=1))
    with session_settings(spark, FEW_LIST_TASKS):
        return [row["path"] for row in spark.sql(f"VACUUM {place} RETAIN {hours} HOURS DRY RUN").collect()]


def _bytes(spark: SparkSession, paths: list[str]) -> int:
    if not paths:
        return 0
    found = spark.read.format("binaryFile").load(paths).agg(F.sum("length").alias("bytes")).head()
    return int(found["bytes"] or 0) if found else 0


def _readable_from(commits: list[Commit], cutoff: datetime) -> int | None:
    """The data version that was the latest at ``cutoff``, and whatever came after it."""
    then = [commit for commit in commits if commit.at <= cutoff]
    return last_change(then) if then else None


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def _ago(span: timedelta) -> str:
    return f"{span.days}d" if span == timedelta(days=span.days) else f"{int(span / timedelta(hours=1))}h"
