"""One batch: read, parse, refuse, remove second deliveries, write. Safe to run again after a kill at any instant.

What is written counts as finished once ``lake.ingest.finished`` has noted it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lake.contracts import REVISION, Contract
from lake.erase.kept_out import ERASED, drop_erased
from lake.errors import RefusedError
from lake.hash_key import needed
from lake.ingest.balance import refuse_imbalance
from lake.ingest.conflicting_changes import refuse_conflicting_changes
from lake.ingest.files import Batch, delivered
from lake.ingest.finished import DELIVERY, Written
from lake.ingest.hidden_text import hidden_text
from lake.ingest.near_duplicates import refuse_near_duplicates
from lake.ingest.parse import FILE, REASON, TEXT, earliest_first, parse
from lake.ingest.read import read_raw, unreadable
from lake.ingest.revised import complete_retractions, revision
from lake.ingest.schemas import QUARANTINE
from lake.ingest.undone import times_undone
from lake.seals import latest_seal
from lake.tables import Lake

UNREADABLE = "unreadable_file"


def ingest_batch(lake: Lake, root: str, contract: Contract, batch: Batch) -> Written:
    """Write the batch's events and quarantine rows.

    Events become known no earlier than the latest seal, but for those of days that the contract calls a backfill.

    Raises:
        RefusedError: more rows are bad than the contract tolerates, or a file vanished; nothing is written.
        SchemaError: a file's header lacks a column of the contract.
    """
    paths = [file.path for file in batch.files]
    try:
        return _write(lake, root, contract, batch, [paths], ())
    except (PySparkException, Py4JJavaError):
        _check_all_there(lake, root, contract, paths)
        lost = unreadable(lake.spark, root, paths, contract)
        if not lost and contract.files.format == "json":
            raise
        # CSV files whose headers differ cannot be read together, but one by one.
        apart = [[path] for path in paths if path not in lost]
        return _write(lake, root, contract, batch, apart, tuple(lost))


def _check_all_there(lake: Lake, root: str, contract: Contract, paths: Sequence[str]) -> None:
    """A file that is gone is no broken file: it would be taken for ingested when it comes back."""
    there = {file.path for file in delivered(lake.spark, root, contract)}
    gone = [path for path in paths if path not in there]
    if gone:
        raise RefusedError(
            f"{contract.log}: {', '.join(gone)} was listed under {root} and is gone now; nothing of its batch was "
            "written; restore it and run again"
        )


def _write(
    lake: Lake,
    root: str,
    contract: Contract,
    batch: Batch,
    readable: Sequence[Sequence[str]],
    lost: tuple[str, ...],
) -> Written:
    with judged(lake, contract, batch, read_parsed(lake, root, contract, readable)) as rows:
        rows_in, refused = counted(rows)
        _check_share(contract, batch, rows_in, refused)
        if refused or lost:
            bad = quarantined(lake, contract, batch.batch_id, rows, lost)
            lake.append(QUARANTINE.name, bad, once=_once(lake, batch, "quarantine"))
        # Last, for Spark computes anew what it kept of a table that changed, and rows may be judged beside events.
        append_events(lake, contract, batch, rows)
    return Written(batch, contract, DELIVERY, rows_in, refused, lost)


def counted(rows: DataFrame) -> tuple[int, dict[str, int]]:
    """How many parsed rows there are, and how many are refused for each reason."""
    counts = {row[REASON]: row["count"] for row in rows.groupBy(REASON).count().collect()}
    refused = {reason: count for reason, count in sorted(counts.items(), key=str) if reason is not None}
    return sum(counts.values()), refused


def append_events(lake: Lake, contract: Contract, batch: Batch, rows: DataFrame) -> None:
    """Append those of the parsed rows that keep the contract and are new, once."""
    events = _first_deliveries(lake, contract, batch, rows.where(F.col(REASON).isNull()))
    lake.append(contract.table, events, once=_once(lake, batch, "events"))


def read_parsed(lake: Lake, root: str, contract: Contract, readable: Sequence[Sequence[str]]) -> DataFrame:
    """The parsed rows of files, those of one list read together."""
    if not readable:
        empty = ", ".join(f"cast(null as string) `{name}`" for name in contract.source_columns)
        return parse(
            lake.spark.sql(f"SELECT {empty}, '' _text, '' _file, true _broken WHERE false"),
            contract,
            lake.hash_key,
        )
    raw = [read_raw(lake.spark, root, paths, contract, lake.hash_key) for paths in readable]
    return parse(reduce(DataFrame.unionByName, raw), contract, lake.hash_key)


@contextmanager
def judged(lake: Lake, contract: Contract, batch: Batch, rows: DataFrame) -> Iterator[DataFrame]:
    """Parsed rows, judged beside each other too, and kept for the passes over them: count, events, quarantine."""
    before = events_before(lake, contract, batch)
    rows = complete_retractions(rows, before, contract)
    for refuse in (refuse_near_duplicates, refuse_conflicting_changes, refuse_imbalance):
        rows = refuse(rows, before, contract)
    rows = drop_erased(lake, contract, rows).persist()
    try:
        yield rows
    finally:
        rows.unpersist()


def events_before(lake: Lake, contract: Contract, batch: Batch) -> DataFrame:
    """The events that other batches brought: a batch that is run again does not meet its own."""
    return lake.read(contract.table).where(F.col("ingest_batch") != batch.batch_id)


def _first_deliveries(lake: Lake, contract: Contract, batch: Batch, rows: DataFrame) -> DataFrame:
    """Each event once: its earliest delivery, and none that an earlier batch brought."""
    earliest = Window.partitionBy(*contract.key).orderBy(*earliest_first(contract))
    first = rows.withColumn("_delivery", F.row_number().over(earliest)).where(F.col("_delivery") == 1)
    return first.join(
        events_before(lake, contract, batch).select(*contract.key), on=list(contract.key), how="left_anti"
    ).select(
        *contract.columns,
        *([revision(contract.revisions).alias(REVISION)] if contract.revisions else []),
        "event_at",
        _sealed(contract, batch, latest_seal(lake)).alias("known_at"),
        F.col("known_at").alias("told_at"),
        F.col(FILE).alias("source_file"),
        F.lit(batch.batch_id).alias("ingest_batch"),
    )


def _sealed(contract: Contract, batch: Batch, sealed_at: datetime | None) -> Column:
    """When an event is known: as the contract says, but not before what was sealed."""
    known_at = F.col("known_at")
    if sealed_at is None:
        return known_at
    history = [file.path for file in batch.files if contract.backfill and file.day in contract.backfill]
    sealed = F.greatest(known_at, F.lit(sealed_at))
    return F.when(F.col(FILE).isin(history), known_at).otherwise(sealed) if history else sealed


def quarantined(
    lake: Lake,
    contract: Contract,
    batch_id: str,
    rows: DataFrame,
    lost: Sequence[str] = (),
    *,
    again: bool = False,
) -> DataFrame:
    """The refused ones of parsed rows, and files that could not be read, as rows of the quarantine.

    Personal values in their texts are hashed; with ``again`` they are where the texts come from.
    """
    text = F.col(TEXT)
    if contract.personal and contract.files.format == "json":
        text = hidden_text(text, contract, needed(lake.hash_key, contract.log), again=again)
    bad = rows.where(F.col(REASON) != ERASED).select(
        F.col(REASON).alias("reason"), text.alias("text"), F.col(FILE).alias("source_file")
    )
    files = [(UNREADABLE, None, path) for path in lost]
    whole = lake.spark.createDataFrame(files, "reason string, text string, source_file string")
    return bad.unionByName(whole).select(
        F.lit(contract.log).alias("log"),
        "reason",
        "text",
        "source_file",
        F.lit(batch_id).alias("ingest_batch"),
        F.lit(contract.version).alias("contract_version"),
        F.lit(lake.stamp.run_id).alias("run_id"),
        F.lit(None).cast("string").alias("replay"),
    )


def _check_share(contract: Contract, batch: Batch, rows_in: int, refused: dict[str, int]) -> None:
    # What is not wanted, by a contract or by somebody who was erased, says nothing about how well a delivery keeps it.
    broken = {r: count for r, count in refused.items() if r != ERASED and r not in contract.refuse}
    bad, judged_rows = sum(broken.values()), rows_in - sum(refused.values()) + sum(broken.values())
    if bad > contract.refuse_above * judged_rows:
        reasons = ", ".join(
            f"{count} {reason}" for reason, count in sorted(broken.items(), key=lambda r: -r[1])
        )
        raise RefusedError(
            f"{contract.log}: {bad} of {judged_rows} rows of {batch.files[0].path} to {batch.files[-1].path} break the "
            f"contract ({reasons}), which tolerates {contract.refuse_above:.1%}; mend the delivery or the contract"
        )


def _once(lake: Lake, batch: Batch, part: str) -> str:
    undone = times_undone(lake)[batch.log, batch.batch_id]
    again = f"/{undone}" if undone else ""
    return f"ingest_logs/{batch.log}/{batch.batch_id}/{part}{again}"
