"""What an ingest run has to do: batches left unfinished by a killed run, then batches of new files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.errors import RefusedError
from lake.ingest.files import Batch, RawFile, batches, checksums
from lake.ingest.schemas import BATCHES, FILES, QUARANTINE
from lake.settings import RawSettings
from lake.tables import Lake


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the lake knows of the files of one log."""

    files: dict[str, tuple[RawFile, str, str]]  # path -> file, sha256, batch
    finished: frozenset[str]

    def is_open(self, path: str) -> bool:
        """Whether it is a file of a batch that was planned and not finished."""
        return path in self.files and self.files[path][2] not in self.finished

    def unfinished(self, log: str) -> list[Batch]:
        """Batches that were planned and not finished, in the order they were planned in."""
        open_files: dict[str, list[RawFile]] = {}
        for file, _, batch in self.files.values():
            if batch not in self.finished:
                open_files.setdefault(batch, []).append(file)
        found = [Batch(log, batch, tuple(sorted(files))) for batch, files in open_files.items()]
        return sorted(found, key=lambda batch: batch.files)


def read_ledgers(lake: Lake, logs: Collection[str]) -> dict[str, Ledger]:
    """The files and finished batches of each log; empty where nothing was ever ingested."""
    files: dict[str, dict[str, tuple[RawFile, str, str]]] = {log: {} for log in logs}
    finished: dict[str, set[str]] = {log: set() for log in logs}
    if lake.exists(FILES.name):
        for row in lake.read(FILES.name).where(F.col("log").isin(*logs)).collect():
            file = RawFile(row.day, row.path, row.size, row.modified)
            files[row.log][row.path] = (file, row.sha256, row.ingest_batch)
        for row in (
            lake.read(BATCHES.name).where(F.col("log").isin(*logs)).select("log", "ingest_batch").collect()
        ):
            finished[row.log].add(row.ingest_batch)
    return {log: Ledger(files[log], frozenset(finished[log])) for log in logs}


@dataclass(frozen=True, slots=True)
class Delivered:
    """The files of a log: all there are, and those of the days that are to be ingested."""

    contract: Contract
    all_days: Sequence[RawFile]
    chosen: Sequence[RawFile]


def plan_logs(lake: Lake, raw: RawSettings, logs: Sequence[Delivered]) -> dict[str, list[Batch]]:
    """The batches of each log to read, in order; new ones are noted in ``ingest_files`` before this returns.

    A batch of which nothing was written yet, such as a refused one, is planned anew where its files were mended.

    Raises:
        RefusedError: a file that was ingested has other content now, or is gone before its batch was finished; then
            nothing is noted of any log.
    """
    ledgers = read_ledgers(lake, [files.contract.log for files in logs])
    newer = [file for files in logs for file in _newer(files, ledgers[files.contract.log])]
    found = checksums(lake.spark, raw.root, newer)
    mended, new = {}, {}
    for files in logs:
        log, ledger = files.contract.log, ledgers[files.contract.log]
        mended[log] = _mended(lake, files, ledger, found)
        free = {path for batch in mended[log] for path in _paths(batch)}
        new[log] = [file for file in files.chosen if file.path not in ledger.files or file.path in free]
    sha256 = checksums(lake.spark, raw.root, [file for files in new.values() for file in files])
    planned = {log: batches(log, files, sha256, raw.days_per_batch) for log, files in new.items()}
    _forget(lake, [batch for batches in mended.values() for batch in batches])
    _note(lake, [batch for batches in planned.values() for batch in batches], sha256)
    unfinished = {log: [b for b in ledgers[log].unfinished(log) if b not in mended[log]] for log in planned}
    return {log: [*unfinished[log], *planned[log]] for log in planned}


def _newer(files: Delivered, ledger: Ledger) -> list[RawFile]:
    """The files to be ingested, or half ingested, that were stored again since they were noted."""
    wanted = set(files.chosen) | {file for file in files.all_days if ledger.is_open(file.path)}
    return [file for file in wanted if file.path in ledger.files and ledger.files[file.path][0] != file]


def _mended(lake: Lake, files: Delivered, ledger: Ledger, found: Mapping[str, str]) -> list[Batch]:
    """The batches to be planned anew, given the checksums of newer files.

    Raises:
        RefusedError: files of others have other content or are gone.
    """
    unfinished = ledger.unfinished(files.contract.log)
    touched = {file.path for file in _newer(files, ledger) if found[file.path] != ledger.files[file.path][1]}
    touched |= {path for batch in unfinished for path in _paths(batch)} - {
        file.path for file in files.all_days
    }
    mended = [
        batch
        for batch in unfinished
        if _paths(batch) & touched and not _has_rows(lake, files.contract, batch)
    ]
    _refuse_touched(files.contract, sorted(touched.difference(*map(_paths, mended))))
    return mended


def _paths(batch: Batch) -> set[str]:
    return {file.path for file in batch.files}


def _has_rows(lake: Lake, contract: Contract, batch: Batch) -> bool:
    tables = (contract.table, QUARANTINE.name)
    return any(lake.read(t).where(F.col("ingest_batch") == batch.batch_id).head() is not None for t in tables)


def _refuse_touched(contract: Contract, paths: Sequence[str]) -> None:
    if paths:
        raise RefusedError(
            f"{contract.log}: {', '.join(paths)} was ingested before with other content, or is gone half ingested; "
            "restore it, and deliver what is new or corrected as a new file"
        )


def _forget(lake: Lake, batches: Sequence[Batch]) -> None:
    if batches:
        named = ", ".join(f"'{batch.batch_id}'" for batch in batches)
        lake.replace(
            FILES.name, lake.spark.createDataFrame([], FILES.schema), where=f"ingest_batch IN ({named})"
        )


def _note(lake: Lake, planned: Sequence[Batch], sha256: Mapping[str, str]) -> None:
    rows = [
        (batch.log, file.path, file.day, file.size, file.modified, sha256[file.path], batch.batch_id)
        for batch in planned
        for file in batch.files
    ]
    if rows:
        lake.append(FILES.name, lake.spark.createDataFrame(rows, FILES.schema))
