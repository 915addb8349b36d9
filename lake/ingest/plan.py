"""What an ingest run has to do: batches left unfinished by a killed run, then batches of new files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.errors import RefusedError
from lake.ingest.files import Batch, RawFile, batches, checksums, delivered, of_days
from lake.ingest.schemas import BATCHES, FILES, QUARANTINE
from lake.settings import RawSettings
from lake.tables import Lake


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the lake knows of the files of one log."""

    files: dict[str, tuple[RawFile, str, str]]  # path -> file, sha256, batch
    finished: frozenset[str]

    def unfinished(self, log: str) -> list[Batch]:
        """Batches that were planned and not finished, in the order they were planned in."""
        open_files: dict[str, list[RawFile]] = {}
        for file, _, batch in self.files.values():
            if batch not in self.finished:
                open_files.setdefault(batch, []).append(file)
        found = [Batch(log, batch, tuple(sorted(files))) for batch, files in open_files.items()]
        return sorted(found, key=lambda batch: batch.files)


def read_ledger(lake: Lake, log: str) -> Ledger:
    """The files and finished batches of ``log``; empty where nothing was ever ingested."""
    if not lake.exists(FILES.name):
        return Ledger({}, frozenset())
    files = {
        row.path: (RawFile(row.day, row.path, row.size, row.modified), row.sha256, row.ingest_batch)
        for row in lake.read(FILES.name).where(F.col("log") == log).collect()
    }
    finished = lake.read(BATCHES.name).where(F.col("log") == log).select("ingest_batch").collect()
    return Ledger(files, frozenset(row.ingest_batch for row in finished))


def plan_log(lake: Lake, raw: RawSettings, contract: Contract, days: tuple[date, date]) -> list[Batch]:
    """The batches to read, in order; new ones are noted in ``ingest_files`` before this returns.

    A batch of which nothing was written yet, such as a refused one, is planned anew where its files were mended.

    Raises:
        RefusedError: a file that was ingested has other content now, or is gone before its batch was finished.
    """
    ledger = read_ledger(lake, contract.log)
    found = delivered(lake.spark, raw.root, contract)
    listed = of_days(found, raw.root, contract, days)
    unfinished = ledger.unfinished(contract.log)
    open_paths = {file.path for batch in unfinished for file in batch.files}
    touched = _touched(
        lake, raw, ledger, [file for file in found if file in listed or file.path in open_paths]
    )
    touched |= open_paths - {file.path for file in found}
    mended = [
        batch for batch in unfinished if _paths(batch) & touched and not _has_rows(lake, contract, batch)
    ]
    free = {path for batch in mended for path in _paths(batch)}
    _refuse_touched(contract, sorted(touched - free))
    _forget(lake, mended)
    new = [file for file in listed if file.path not in ledger.files or file.path in free]
    sha256 = checksums(lake.spark, raw.root, new)
    planned = batches(contract.log, new, sha256, raw.days_per_batch)
    _note(lake, planned, sha256)
    return [*(batch for batch in unfinished if batch not in mended), *planned]


def _paths(batch: Batch) -> set[str]:
    return {file.path for file in batch.files}


def _touched(lake: Lake, raw: RawSettings, ledger: Ledger, files: Sequence[RawFile]) -> set[str]:
    """Those of the files whose content is not what was noted."""
    newer = [file for file in files if file.path in ledger.files and ledger.files[file.path][0] != file]
    sha256 = checksums(lake.spark, raw.root, newer)
    return {file.path for file in newer if sha256[file.path] != ledger.files[file.path][1]}


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
