"""The notes of finished batches: those of several in one commit, with what the event tables hold of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.ingest.files import Batch
from lake.ingest.schemas import BATCHES
from lake.ingest.undone import times_undone
from lake.tables import Lake

DELIVERY, REPLAY = "delivery", "replay"


@dataclass(frozen=True, slots=True)
class Written:
    """A batch whose events and quarantine rows are written, and which is not noted as finished yet."""

    batch: Batch
    contract: Contract
    kind: str
    rows_in: int
    refused: dict[str, int]
    unreadable_files: tuple[str, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        return self.batch.log, self.batch.batch_id


@dataclass(frozen=True, slots=True)
class BatchResult:
    """rows_in = rows_out + duplicates + the refused rows, those of erased persons among them.

    Unreadable files are counted apart.
    """

    log: str
    files: int
    rows_in: int
    rows_out: int
    duplicates: int
    refused: dict[str, int]
    unreadable_files: tuple[str, ...]


def is_noted(lake: Lake, batch: Batch) -> bool:
    """True where a batch is noted as finished."""
    of_batch = (F.col("log") == batch.log) & (F.col("ingest_batch") == batch.batch_id)
    return lake.read(BATCHES.name).where(of_batch).head() is not None


def note_finished(lake: Lake, written: Sequence[Written]) -> list[BatchResult]:
    """Note batches as finished, all in one commit; returns what became of each.

    A batch that was half written by another run may hold other events than this one would have written: what counts
    is what the tables hold.
    """
    if not written:
        return []
    found = _found(lake, written)
    results, rows = [], []
    for done in written:
        rows_out, known_from = found.get(done.name, (0, None))
        result = _result(done, rows_out)
        results.append(result)
        rows.append(_note(lake, done, result, known_from))
    undone = times_undone(lake)
    names = sorted(done.name for done in written)
    named = "\n".join(f"{log}/{batch}/{undone[log, batch]}" for log, batch in names)
    once = f"ingest_logs/finished/{hashlib.sha256(named.encode()).hexdigest()[:16]}"
    lake.append(BATCHES.name, lake.spark.createDataFrame(rows, BATCHES.schema), once=once)
    return results


def _found(lake: Lake, written: Sequence[Written]) -> dict[tuple[str, str], tuple[int, datetime | None]]:
    """By log and batch, how many events there are, and when the first of them was known."""
    contracts = {done.contract.log: done.contract for done in written}
    parts: list[DataFrame] = []
    for log, contract in contracts.items():
        ids = [done.batch.batch_id for done in written if done.contract.log == log]
        events = lake.read(contract.table).where(F.col("ingest_batch").isin(*ids))
        parts.append(events.select(F.lit(log).alias("log"), "ingest_batch", "known_at"))
    counts = (
        reduce(DataFrame.unionByName, parts)
        .groupBy("log", "ingest_batch")
        .agg(F.count("*").alias("rows"), F.min("known_at").alias("known_from"))
    )
    return {(row["log"], row["ingest_batch"]): (row["rows"], row["known_from"]) for row in counts.collect()}


def _result(done: Written, rows_out: int) -> BatchResult:
    files = 0 if done.kind == REPLAY else len(done.batch.files) - len(done.unreadable_files)
    duplicates = done.rows_in - sum(done.refused.values()) - rows_out
    return BatchResult(
        done.batch.log, files, done.rows_in, rows_out, duplicates, done.refused, done.unreadable_files
    )


def _note(lake: Lake, done: Written, result: BatchResult, known_from: datetime | None) -> tuple[object, ...]:
    days = [file.day for file in done.batch.files]
    row = {
        "log": result.log,
        "ingest_batch": done.batch.batch_id,
        "kind": done.kind,
        "contract_version": done.contract.version,
        "first_day": min(days),
        "last_day": max(days),
        "files": result.files,
        "rows_in": result.rows_in,
        "rows_out": result.rows_out,
        "duplicates": result.duplicates,
        "refused": sum(result.refused.values()),
        "reasons": result.refused,
        "known_from": known_from,
        "run_id": lake.stamp.run_id,
    }
    return tuple(row.values())
