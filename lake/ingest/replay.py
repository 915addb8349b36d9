"""Rows that the quarantine holds, read once more: after a contract was mended, they become events."""

from __future__ import annotations

import hashlib

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.ingest.balance import IMBALANCE
from lake.ingest.batch import append_events, counted, judged, quarantined
from lake.ingest.files import Batch, RawFile
from lake.ingest.finished import REPLAY, BatchResult, Written, note_finished
from lake.ingest.parse import REASON, parse
from lake.ingest.read import read_again
from lake.ingest.schemas import QUARANTINE
from lake.ingest.undone import times_undone
from lake.quoted import quoted
from lake.tables import Lake

_ORIGIN = ["text", "source_file", "ingest_batch"]


def held_back(lake: Lake, log: str) -> str:
    """A fingerprint of the rows of a log that the quarantine holds; empty where it holds none."""
    rows = _rows(lake, log)
    found = rows.agg(
        F.count("*").alias("rows"), F.sum(F.xxhash64(*_ORIGIN).cast("decimal(20,0)")).alias("sum")
    )
    row = found.head()
    return f"{row['rows']} {row['sum']}" if row and row["rows"] else ""


def replay(lake: Lake, root: str, contract: Contract) -> BatchResult | None:
    """Read the quarantined rows of a log by its contract as it is now. Safe to run again after a kill at any instant.

    Rows that keep it become events, as if delivered now: known no earlier than the latest seal, unless they are
    history. The others stay with their new reason; so do files that could not be read.

    Returns:
        None where the quarantine holds no row of the log.

    Raises:
        RefusedError: rows of a CSV file are held, and the file is gone.
        SchemaError: a CSV header lacks a column of the contract.
    """
    held = held_back(lake, contract.log)
    if not held:
        return None
    rows = _rows(lake, contract.log)
    batch = _batch(lake, contract, held, rows)
    again = parse(read_again(lake.spark, root, rows, contract), contract, lake.hash_key, again=True)
    with judged(lake, contract, batch, again) as parsed:
        rows_in, refused = counted(parsed)
        append_events(lake, contract, batch, parsed)
        (result,) = note_finished(lake, [Written(batch, contract, REPLAY, rows_in, refused)])
        lake.replace(
            QUARANTINE.name,
            _still_refused(lake, contract, rows, parsed),
            where=f"log = {quoted(contract.log)} AND text IS NOT NULL",
        )
    return result


def replay_completed(lake: Lake, root: str, contract: Contract) -> BatchResult | None:
    """Read the quarantined rows of a ledger once more where that brings any back: the rest of a transaction arrived.

    Rows of CSV files wait for a replay that is asked for, because their files may be gone.

    Returns:
        None where nothing comes back.
    """
    if contract.balance is None or contract.files.format != "json":
        return None
    rows = _rows(lake, contract.log)
    if rows.where(F.col("reason") == IMBALANCE).head() is None:
        return None
    again = parse(read_again(lake.spark, root, rows, contract), contract, lake.hash_key, again=True)
    batch = _batch(lake, contract, held_back(lake, contract.log), rows)
    with judged(lake, contract, batch, again) as parsed:
        comes_back = parsed.where(F.col(REASON).isNull()).head() is not None
    return replay(lake, root, contract) if comes_back else None


def _rows(lake: Lake, log: str) -> DataFrame:
    return lake.read(QUARANTINE.name).where((F.col("log") == log) & F.col("text").isNotNull())


def _batch(lake: Lake, contract: Contract, held: str, rows: DataFrame) -> Batch:
    """What is replayed, by a name that a second try has too, as long as neither rows nor contract change.

    Rows that were replayed before are news after a load of the log was taken back: so the name changes with that.
    """
    paths = [
        row["source_file"] for row in rows.select("source_file").distinct().orderBy("source_file").collect()
    ]
    files = [RawFile(contract.files.day_of(path) or "", path, 0, 0) for path in paths]
    undone = sum(times for (log, _), times in times_undone(lake).items() if log == contract.log)
    told = [REPLAY, contract.model_dump_json(), held, *([str(undone)] if undone else [])]
    digest = hashlib.sha256("\n".join(told).encode())
    return Batch(contract.log, digest.hexdigest()[:16], tuple(files))


def _still_refused(lake: Lake, contract: Contract, rows: DataFrame, parsed: DataFrame) -> DataFrame:
    """Refused rows with the batch they came with, which is that of their file."""
    refused = quarantined(lake, contract, "", parsed, again=True).drop("ingest_batch")
    origin = rows.groupBy("source_file").agg(F.first("ingest_batch").alias("ingest_batch"))
    return refused.join(F.broadcast(origin), on="source_file")
