"""Rows that the quarantine holds, read once more: after a contract was mended, they become events.

Before the first event is written, the rows that become events are marked in quarantine with their replay. So what a
killed one brought is told from what is still held, however contract and quarantine have changed since.
"""

from __future__ import annotations

import hashlib

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.ingest.balance import IMBALANCE
from lake.ingest.batch import append_events, counted, judged, quarantined
from lake.ingest.files import Batch, RawFile
from lake.ingest.finished import REPLAY, BatchResult, Written, is_noted, note_finished
from lake.ingest.parse import FILE, REASON, TEXT, parse
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


def replay(lake: Lake, root: str, contract: Contract) -> list[BatchResult]:
    """Read the quarantined rows of a log by its contract as it is now. Safe to run again after a kill at any instant.

    Rows that keep it become events, as if delivered now: known no earlier than the latest seal, unless they are
    history. The others stay with their new reason; so do files that could not be read.

    Returns:
        What became of the rows; before that, of those which a replay brought back that was killed, where contract or
        quarantine are others since. Empty where the quarantine holds no row of the log.

    Raises:
        RefusedError: rows of a CSV file are held, and the file is gone.
        SchemaError: a CSV header lacks a column of the contract.
    """
    batch = _batch(lake, contract)
    killed = _killed(lake, contract, batch)
    results = [result for one in killed for result in _finish(lake, contract, one)]
    if killed:
        batch = _batch(lake, contract)
    if batch is None:
        return results
    rows = _rows(lake, contract.log)
    again = parse(read_again(lake.spark, root, rows, contract), contract, lake.hash_key, again=True)
    with judged(lake, contract, batch, again) as parsed:
        rows_in, refused = counted(parsed)
        if rows_in > sum(refused.values()):
            _mark(lake, contract, batch, parsed.where(F.col(REASON).isNull()))
        append_events(lake, contract, batch, parsed)
        results += note_finished(lake, [Written(batch, contract, REPLAY, rows_in, refused)])
        lake.replace(
            QUARANTINE.name,
            _still_refused(lake, contract, rows, parsed),
            where=f"log = {quoted(contract.log)} AND text IS NOT NULL",
        )
    return results


def replay_completed(lake: Lake, root: str, contract: Contract) -> list[BatchResult]:
    """Read the quarantined rows of a ledger once more where that brings any back: the rest of a transaction arrived.

    Rows of CSV files wait for a replay that is asked for, because their files may be gone.

    Returns:
        As ``replay``; empty where nothing comes back.
    """
    if contract.balance is None or contract.files.format != "json":
        return []
    rows, batch = _rows(lake, contract.log), _batch(lake, contract)
    if batch is None or rows.where(F.col("reason") == IMBALANCE).head() is None:
        return []
    again = parse(read_again(lake.spark, root, rows, contract), contract, lake.hash_key, again=True)
    with judged(lake, contract, batch, again) as parsed:
        comes_back = parsed.where(F.col(REASON).isNull()).head() is not None
    return replay(lake, root, contract) if comes_back else []


def _rows(lake: Lake, log: str) -> DataFrame:
    return lake.read(QUARANTINE.name).where((F.col("log") == log) & F.col("text").isNotNull())


def _batch(lake: Lake, contract: Contract) -> Batch | None:
    """What is replayed, by a name that a second try has too, as long as neither rows nor contract change.

    Rows that were replayed before are news after a load of the log was taken back: so the name changes with that.
    """
    held = held_back(lake, contract.log)
    if not held:
        return None
    undone = sum(times for (log, _), times in times_undone(lake).items() if log == contract.log)
    told = [REPLAY, contract.model_dump_json(), held, *([str(undone)] if undone else [])]
    digest = hashlib.sha256("\n".join(told).encode())
    return Batch(contract.log, digest.hexdigest()[:16], _files(contract, _rows(lake, contract.log)))


def _files(contract: Contract, rows: DataFrame) -> tuple[RawFile, ...]:
    paths = [row["source_file"] for row in rows.select("source_file").distinct().collect()]
    return tuple(RawFile(contract.files.day_of(path) or "", path, 0, 0) for path in sorted(paths))


def _mark(lake: Lake, contract: Contract, batch: Batch, leaving: DataFrame) -> None:
    """Mark the rows that a replay takes out of the quarantine, before it writes the first of their events."""
    found = leaving.select(F.col(TEXT).alias("text"), F.col(FILE).alias("source_file")).distinct()
    lake.merge(
        QUARANTINE.name,
        found,
        on=f"held.log = {quoted(contract.log)} AND held.text = found.text AND held.source_file = found.source_file",
        then=f"WHEN MATCHED THEN UPDATE SET replay = {quoted(batch.batch_id)}, contract_version = {contract.version}",
    )


def _killed(lake: Lake, contract: Contract, again: Batch | None) -> list[Batch]:
    """The replays that were killed after they wrote events, but for one that is run again and so finishes itself.

    One that wrote none is as if it had never begun.
    """
    marked = _rows(lake, contract.log).where(F.col("replay").isNotNull())
    names = [row["replay"] for row in marked.select("replay").distinct().orderBy("replay").collect()]
    batches = [
        Batch(contract.log, name, _files(contract, marked.where(F.col("replay") == name)))
        for name in names
        if again is None or name != again.batch_id
    ]
    return [batch for batch in batches if is_noted(lake, batch) or _has_events(lake, contract, batch)]


def _has_events(lake: Lake, contract: Contract, batch: Batch) -> bool:
    events = lake.read(contract.table)
    return events.where(F.col("ingest_batch") == batch.batch_id).head() is not None


def _finish(lake: Lake, contract: Contract, killed: Batch) -> list[BatchResult]:
    """Note what a killed replay brought, where it was not noted, and take its rows out of the quarantine.

    What it refused is judged anew, by the replay that follows.
    """
    where = f"log = {quoted(contract.log)} AND replay = {quoted(killed.batch_id)}"
    results = []
    if not is_noted(lake, killed):
        marked = _rows(lake, contract.log).where(where)
        ((rows, version),) = marked.agg(F.count("*"), F.max("contract_version")).collect()
        judge = contract.model_copy(update={"version": version})
        results = note_finished(lake, [Written(killed, judge, REPLAY, rows, {})])
    lake.replace(QUARANTINE.name, lake.spark.createDataFrame([], QUARANTINE.schema), where=where)
    return results


def _still_refused(lake: Lake, contract: Contract, rows: DataFrame, parsed: DataFrame) -> DataFrame:
    """Refused rows with the batch they came with, which is that of their file."""
    refused = quarantined(lake, contract, "", parsed, again=True).drop("ingest_batch")
    origin = rows.groupBy("source_file").agg(F.first("ingest_batch").alias("ingest_batch"))
    return refused.join(F.broadcast(origin), on="source_file")
