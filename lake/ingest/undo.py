"""Taking back batches: which must go together so that no event is lost, and their removal, table by table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.errors import RefusedError, SchemaError
from lake.ingest.batch import UNREADABLE, read_parsed
from lake.ingest.files import delivered
from lake.ingest.finished import DELIVERY, REPLAY
from lake.ingest.schemas import BATCHES, FILES, QUARANTINE
from lake.ingest.undone import BEGUN, DONE, UNDONE
from lake.quoted import quoted
from lake.tables import Lake


@dataclass(frozen=True, slots=True)
class Load:
    """One batch of a log, as the ledger knows it; ``is_finished`` is False for one that a killed run left."""

    log: str
    batch_id: str
    kind: str
    loaded_by: str | None
    first_day: str
    last_day: str
    files: tuple[str, ...]
    rows_out: int
    duplicates: int
    is_finished: bool = True

    def shares_rows(self, other: Load) -> bool:
        """True where one is a replay that took rows out of the quarantine, maybe those that the other brought.

        One that was killed before it was noted has taken none out yet.
        """
        replays = [load for load in (self, other) if load.kind == REPLAY and load.is_finished]
        overlaps = self.first_day <= other.last_day and other.first_day <= self.last_day
        return overlaps and any(load.rows_out + load.duplicates for load in replays)


def noted_loads(lake: Lake, logs: Collection[str]) -> dict[str, list[Load]]:
    """The batches of each log that the ledger knows, finished or not, in order of their ids."""
    files: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in lake.read(FILES.name).where(F.col("log").isin(*logs)).collect():
        files.setdefault((row["log"], row["ingest_batch"]), []).append((row["day"], row["path"]))
    found: dict[tuple[str, str], Load] = {}
    for row in lake.read(BATCHES.name).where(F.col("log").isin(*logs)).collect():
        name = (row["log"], row["ingest_batch"])
        paths = tuple(sorted(path for _, path in files.get(name, [])))
        days = (row["first_day"], row["last_day"])
        found[name] = Load(
            *name, row["kind"], row["run_id"], *days, paths, row["rows_out"], row["duplicates"]
        )
    for name, listed in files.items():
        if name not in found:
            first, last = min(listed)[0], max(listed)[0]
            paths = tuple(sorted(path for _, path in listed))
            found[name] = Load(*name, DELIVERY, None, first, last, paths, 0, 0, is_finished=False)
    return {log: [found[name] for name in sorted(found) if name[0] == log] for log in logs}


def killed_replays(lake: Lake, contract: Contract, noted: Sequence[Load]) -> list[Load]:
    """Batches that only the events of a log tell of: replays that were killed before they were noted."""
    known = [load.batch_id for load in noted]
    events = (
        lake.read(contract.table).where(~F.col("ingest_batch").isin(*known))
        if known
        else lake.read(contract.table)
    )
    brought: dict[str, list[str]] = {}
    rows_of: Counter[str] = Counter()
    for row in events.groupBy("ingest_batch", "source_file").count().collect():
        brought.setdefault(row["ingest_batch"], []).append(contract.files.day_of(row["source_file"]) or "")
        rows_of[row["ingest_batch"]] += row["count"]
    return [
        Load(
            contract.log, batch, REPLAY, None, min(days), max(days), (), rows_of[batch], 0, is_finished=False
        )
        for batch, days in sorted(brought.items())
    ]


def linked(
    lake: Lake, root: str, contract: Contract, loads: Sequence[Load], chosen: Sequence[Load]
) -> dict[str, str]:
    """The batches that must go with those chosen, by id, each with why.

    A batch that delivered an event of theirs once more holds it only as a counted duplicate, and a replay has taken
    rows out of the quarantine: without them, rows would be lost.

    Raises:
        RefusedError: another batch has events and is not finished, so that nobody knows what it would lack.
    """
    gone = {load.batch_id: load for load in chosen}
    why: dict[str, str] = {}
    _check_finished(lake, contract, [load for load in loads if load.batch_id not in gone])
    while True:
        before = len(gone)
        for load in (load for load in loads if load.batch_id not in why and load not in chosen):
            reason = _link(lake, root, contract, loads, list(gone.values()), load)
            if reason:
                gone[load.batch_id], why[load.batch_id] = load, reason
        if len(gone) == before:
            return why


def _link(
    lake: Lake, root: str, contract: Contract, loads: Sequence[Load], gone: Sequence[Load], load: Load
) -> str | None:
    sharing = [other.batch_id for other in gone if load.shares_rows(other)]
    if sharing:
        return f"shares replayed rows with {sharing[0]}"
    # What a killed replay brought is still in quarantine, too.
    lost = [other for other in gone if other.is_finished or other.kind != REPLAY]
    if load.duplicates and lost and _delivers_again(lake, root, contract, lost, _files(load, loads)):
        return "delivered events of theirs again, as duplicates"
    return None


def _files(load: Load, loads: Sequence[Load]) -> list[str]:
    """The files whose rows a batch read; for a replay, those of every delivery that it may have read rows of."""
    if load.kind != REPLAY:
        return list(load.files)
    return [path for other in loads if load.shares_rows(other) for path in other.files]


def _delivers_again(
    lake: Lake, root: str, contract: Contract, gone: Sequence[Load], paths: Sequence[str]
) -> bool:
    """True where a row of the files has the key of an event of those batches, or a file cannot be looked into."""
    there = {file.path for file in delivered(lake.spark, root, contract)}
    lost = lake.read(QUARANTINE.name).where((F.col("log") == contract.log) & (F.col("reason") == UNREADABLE))
    broken = {row["source_file"] for row in lost.select("source_file").collect()}
    wanted = [path for path in paths if path not in broken]
    if not set(wanted) <= there:
        return True
    # CSV files whose headers differ cannot be read together.
    together = [wanted] if contract.files.format == "json" else [[path] for path in wanted]
    try:
        rows = read_parsed(lake, root, contract, [paths for paths in together if paths])
    except SchemaError:
        return True
    theirs = lake.read(contract.table).where(_among(gone)).select(*contract.key)
    return rows.join(theirs, on=list(contract.key), how="left_semi").head() is not None


def _check_finished(lake: Lake, contract: Contract, others: Sequence[Load]) -> None:
    half = [load for load in others if not load.is_finished]
    for load in half:
        if lake.read(contract.table).where(_among([load])).head() is not None:
            raise RefusedError(
                f"{contract.log}: batch {load.batch_id}, a {load.kind} of {load.first_day} to {load.last_day}, is half "
                "ingested; run ingest_logs again in the same way to finish it, or take it back too (--batch)"
            )


def removable(lake: Lake, contract: Contract, loads: Sequence[Load]) -> dict[str, tuple[int, int]]:
    """How many events and rows of the quarantine each of the batches holds, by its id."""
    found = []
    for table in (contract.table, QUARANTINE.name):
        rows = lake.read(table).where(_among(loads)).groupBy("ingest_batch").count().collect()
        found.append(Counter({row["ingest_batch"]: row["count"] for row in rows}))
    events, quarantined = found
    return {load.batch_id: (events[load.batch_id], quarantined[load.batch_id]) for load in loads}


def begin(lake: Lake, rows: Sequence[Mapping[str, object]]) -> None:
    """Note in one commit what is going to be removed, so that a killed removal is finished later."""
    lake.ensure(UNDONE)
    stated = [row | {"state": BEGUN, "run_id": lake.stamp.run_id} for row in map(dict, rows)]
    names = UNDONE.schema.fieldNames()
    values = [tuple(row[name] for name in names) for row in stated]
    lake.append(UNDONE.name, lake.spark.createDataFrame(values, UNDONE.schema))


def begun(lake: Lake) -> dict[str, list[str]]:
    """The batches whose removal was begun and is not done, by log."""
    if not lake.exists(UNDONE.name):
        return {}
    found: dict[str, list[str]] = {}
    for row in lake.read(UNDONE.name).where(F.col("state") == BEGUN).collect():
        found.setdefault(row["log"], []).append(row["ingest_batch"])
    return found


def remove(lake: Lake, contracts: Mapping[str, Contract], begun: Mapping[str, Sequence[str]]) -> None:
    """Remove what was begun, by log: events, quarantine, then the ledger; rows that a replay was to take out stay.

    Safe to run again after a kill at any instant.
    """
    of_log = {log: f"ingest_batch IN ({', '.join(map(quoted, batches))})" for log, batches in begun.items()}
    for log, batches in of_log.items():
        _remove(lake, contracts[log].table, batches)
    lake.widen(QUARANTINE)
    ids = [(log, batch) for log, batches in begun.items() for batch in batches]
    lake.merge(
        QUARANTINE.name,
        lake.spark.createDataFrame(ids, "log string, batch string"),
        on="held.log = found.log AND held.replay = found.batch",
        then="WHEN MATCHED THEN UPDATE SET replay = NULL",
    )
    everywhere = " OR ".join(f"(log = {quoted(log)} AND {batches})" for log, batches in of_log.items())
    for table in (QUARANTINE.name, BATCHES.name, FILES.name):
        _remove(lake, table, everywhere)


def _remove(lake: Lake, table: str, where: str) -> None:
    lake.replace(table, lake.spark.createDataFrame([], lake.read(table).schema), where=where)


def finish(lake: Lake) -> None:
    """Note that all that was begun is removed."""
    rows = lake.read(UNDONE.name).where(F.col("state") == BEGUN).collect()
    done = lake.spark.createDataFrame(
        [tuple((row.asDict() | {"state": DONE}).values()) for row in rows], UNDONE.schema
    )
    # The condition must hold for the new rows too, and names exactly those that were read.
    undos = ", ".join(quoted(run) for run in sorted({row["run_id"] for row in rows}))
    lake.replace(UNDONE.name, done, where=f"run_id IN ({undos})")


def _among(loads: Sequence[Load]) -> str:
    return f"ingest_batch IN ({', '.join(quoted(load.batch_id) for load in loads)})"
