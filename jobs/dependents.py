"""What was built on a load: the runs that read its events, directly or through other tables, and registered models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import Row
from pyspark.sql import functions as F

from jobs.lineage_table import LINEAGE
from lake.data_versions import history
from lake.runs import DONE, RUNS
from lake.tables import Lake

_INGEST = ("ingest_logs", "undo_load", "erase_user")


def finished_runs(lake: Lake) -> list[Row]:
    """Every run that is done, oldest first."""
    if not lake.exists(RUNS.name):
        return []
    return lake.read(RUNS.name).where(F.col("state") == DONE).orderBy("finished_at").collect()


def loaded_at(lake: Lake, table: str, runs: Collection[str | None], finished: Sequence[Row]) -> int:
    """The first version of an event table with a load that these runs finished; 0 where its history does not say.

    What a killed run wrote just before counts as theirs: they may have finished it.
    """
    # Oldest first, and without what maintenance did between the loads.
    commits = [one for one in history(lake.spark, lake.place(table))[::-1] if one.may_change_data]
    writers = [(one.version, one.told.get("run_id", "")) for one in commits]
    at = next((n for n, (version, run) in enumerate(writers) if version and run in runs), None)
    if None in runs or at is None:
        return 0
    done = {row["run_id"] for row in finished}
    while at and writers[at - 1][1] and writers[at - 1][1] not in done:
        at -= 1
    return writers[at][0]


def dependents(finished: Sequence[Row], since: Mapping[str, int]) -> list[str]:
    """Runs that read one of the tables at its version or later, and those that read what they wrote; oldest first.

    Returns:
        One line a run: job, slice, run, what it wrote.
    """
    rows = [row for row in finished if row["job"] not in _INGEST]
    tainted = dict(since)
    found: dict[str, Row] = {}
    while True:
        more = [row for row in rows if row["run_id"] not in found and _read_any(row["inputs"], tainted)]
        if not more:
            return [_line(row) for row in rows if row["run_id"] in found]
        for row in more:
            found[row["run_id"]] = row
            for name, version in (row["outputs"] or {}).items():
                tainted[name] = min(version, tainted.get(name, version))


def models_reading(lake: Lake, logs: Sequence[str]) -> list[str]:
    """Versions of registered models of which a feature reads one of the logs, whenever they were trained."""
    if not lake.exists(LINEAGE.name):
        return []
    rows = lake.read(LINEAGE.name).where(F.col("log").isin(*logs) & F.col("model").isNotNull())
    found = rows.select("model", "model_version").distinct().orderBy("model", "model_version").collect()
    return [f"{row['model']} v{row['model_version']}" for row in found]


def _read_any(inputs: Mapping[str, int] | None, tainted: Mapping[str, int]) -> bool:
    return any(name in tainted and version >= tainted[name] for name, version in (inputs or {}).items())


def _line(row: Row) -> str:
    wrote = [f"{name} version {version}" for name, version in sorted((row["outputs"] or {}).items())]
    result = f" ({row['result']})" if row["result"] else ""
    return f"{row['job']} {row['slice']}, run {row['run_id']}: {', '.join(wrote) or 'no table'}{result}"
