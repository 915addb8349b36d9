"""What an ingest run has to do: batches left unfinished by a killed run, then batches of new files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.errors import RefusedError
from lake.ingest.files import Batch, RawFile, batches, checksums, list_files
from lake.ingest.schemas import BATCHES, FILES
from lake.settings import RawSettings
from lake.tables import Lake


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the lake knows of the files of one log."""

    files: dict[str, tuple[RawFile, str, str]]  # path -> file, sha256, batch
    finished: frozenset[str]

    def unfinished(self, log: str) -> list[Batch]:
        open_files: dict[str, list[RawFile]] = {}
        for file, _, batch in self.files.values():
            if batch not in self.finished:
                open_files.setdefault(batch, []).append(file)
        return [Batch(log, batch, tuple(sorted(files))) for batch, files in sorted(open_files.items())]


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

    Raises:
        RefusedError: a file that was ingested has other content now.
    """
    ledger = read_ledger(lake, contract.log)
    listed = list_files(lake.spark, raw.root, contract, days)
    _refuse_changed(lake, raw, contract, ledger, listed)
    new = [file for file in listed if file.path not in ledger.files]
    planned = batches(contract.log, new, raw.days_per_batch)
    _note(lake, raw, planned)
    return [*ledger.unfinished(contract.log), *planned]


def _note(lake: Lake, raw: RawSettings, planned: Sequence[Batch]) -> None:
    if not planned:
        return
    digests = checksums(lake.spark, raw.root, [file for batch in planned for file in batch.files])
    rows = [
        (batch.log, file.path, file.day, file.size, file.modified, digests[file.path], batch.batch_id)
        for batch in planned
        for file in batch.files
    ]
    noted = lake.spark.createDataFrame(rows, FILES.schema)
    lake.append(FILES.name, noted, once=f"ingest_logs/{planned[0].batch_id}/files")


def _refuse_changed(
    lake: Lake, raw: RawSettings, contract: Contract, ledger: Ledger, listed: Sequence[RawFile]
) -> None:
    touched = [file for file in listed if file.path in ledger.files and ledger.files[file.path][0] != file]
    digests = checksums(lake.spark, raw.root, touched)
    changed = [file.path for file in touched if digests[file.path] != ledger.files[file.path][1]]
    if changed:
        raise RefusedError(
            f"{contract.log}: {', '.join(changed)} was ingested before with other content; "
            "restore it, and deliver what is new or corrected as a new file"
        )
