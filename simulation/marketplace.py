"""Writes the raw logs of a simulated marketplace: the only door of this package.

One gzip file per log, span of hours in which it arrived, and region,
``<root>/<log>/ingest_date=YYYY-MM-DD/hour=HH/<log>.jsonl.gz`` (the second region's is ``<log>-001.jsonl.gz``), and the
hidden truth beside, where no job looks.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from simulation.delivery import Delivery, deliver
from simulation.files import json_line, log_path, remove_leftovers, write_bytes, write_whole
from simulation.records import records
from simulation.settings import SimulationSettings
from simulation.truth import write_truth
from simulation.wording import as_sent
from simulation.words import Records
from simulation.world import simulate

MARKER = "_simulation.json"
LOGS = (
    "accounts",
    "logins",
    "payments",
    "payouts",
    "disputes",
    "account_changes",
    "ledger_entries",
    "job_posts",
    "proposals",
    "messages",
    "user_reports",
    "contract_changes",
    "escrow_events",
    "reviews",
    "time_logs",
    "instrument_changes",
    "payout_method_changes",
    "profile_changes",
    "organisation_changes",
    "kyc_checks",
    "enforcement_actions",
    "devices",
    "credit_movements",
    "exchange_rates",
    "card_issuers",
    "throw_away_domains",
    "holidays",
    "job_views",
)
_HOUR = "file_hour"
_KEEP = "keep_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWritten:
    """One log as written: its lines, how many carry each kind of dirt, and the seconds it took to write."""

    log: str
    rows: int
    planted: dict[str, int]
    seconds: float

    def and_also(self, other: LogWritten) -> LogWritten:
        """Return both together."""
        planted = {
            kind: self.planted.get(kind, 0) + other.planted.get(kind, 0)
            for kind in (self.planted | other.planted)
        }
        return LogWritten(
            log=self.log, rows=self.rows + other.rows, planted=planted, seconds=self.seconds + other.seconds
        )


def write_logs(
    spark: SparkSession, settings: SimulationSettings, root: str, truth_root: str | None = None
) -> list[LogWritten]:
    """Simulate a marketplace and write its logs below ``root``, a path that executors reach.

    Killed and run again with the same settings it ends with the same files, byte for byte, and none besides.

    Args:
        spark: the session whose executors write the files.
        settings: the marketplace.
        root: where the logs go; created when absent.
        truth_root: where the Parquet files of the hidden truth go, outside ``root``; ``hidden_truth``
            beside ``root`` unless given.

    Returns:
        One entry per log.

    Raises:
        FileExistsError: ``root`` holds logs of other settings or of unknown origin.
        ValueError: ``truth_root`` lies inside ``root``.
    """
    hidden = Path(truth_root) if truth_root is not None else Path(root).absolute().parent / "hidden_truth"
    if hidden.resolve().is_relative_to(Path(root).resolve()):
        raise ValueError(f"truth_root {hidden} lies inside root {root}; choose a folder outside it")
    _claim(root, settings)
    remove_leftovers(root)
    remove_leftovers(str(hidden))
    written = {log: LogWritten(log=log, rows=0, planted={}, seconds=0.0) for log in LOGS}
    for region, part in enumerate(settings.by_region()):
        world = simulate(part)
        write_truth(part, world, str(hidden), region)
        sources = [source for source in records(part, world) if region == 0 or not source.is_of_all]
        for log in _written(spark, part, root, region, sources):
            written[log.log] = written[log.log].and_also(log)
    return list(written.values())


def _claim(root: str, settings: SimulationSettings) -> None:
    """Mark ``root`` as holding the logs of these settings, or refuse if it holds others."""
    content = settings.model_dump_json(exclude={"partitions"})
    digest = hashlib.sha256(content.encode()).hexdigest()
    marker = Path(root) / MARKER
    if marker.exists():
        found = json.loads(marker.read_text())
        if found["settings"] == digest:
            return
        raise FileExistsError(
            f"{root} holds logs of other settings (seed {found['seed']}, {found['days']} days from "
            f"{found['start_on']}); remove them or choose another root"
        )
    strange = [log for log in LOGS if (Path(root) / log).exists()]
    if strange:
        raise FileExistsError(
            f"{root} holds {', '.join(strange)} not written by this simulation; choose another root"
        )
    note = {
        "settings": digest,
        "seed": settings.seed,
        "days": settings.days,
        "start_on": str(settings.start_on),
    }
    write_bytes(marker, json.dumps(note).encode())


def _written(
    spark: SparkSession, settings: SimulationSettings, root: str, region: int, sources: Sequence[Records]
) -> Iterator[LogWritten]:
    """Write what arrives of the logs of one region; while Spark writes one, the next is made ready."""
    with ThreadPoolExecutor(1) as writer:
        write = inheritable_thread_target(spark)(_write)
        at_work: Future[LogWritten] | None = None
        for source in sources:
            delivery = deliver(settings, source)
            if at_work is not None:
                yield at_work.result()
            at_work = writer.submit(write, spark, settings.partitions, root, region, source.log, delivery)
        if at_work is not None:
            yield at_work.result()


def _write(
    spark: SparkSession, partitions: int, root: str, region: int, log: str, delivery: Delivery
) -> LogWritten:
    """Write every file of a log on the executors."""
    began = time.monotonic()
    columns = {name: pa.array(values.tolist()) for name, values in delivery.columns.items()}
    columns[_HOUR] = pa.array(delivery.file_hour.tolist())
    columns[_KEEP] = pa.array(delivery.keep_share.tolist())
    lines = spark.createDataFrame(pa.table(columns)).repartition(partitions, _HOUR)

    def write_file(lines: pa.Table) -> pa.Table:
        rows = lines.sort_by("raw_offset")
        named = rows.drop_columns([_HOUR, _KEEP]).to_pylist()
        shares = rows[_KEEP].to_pylist()
        path = log_path(root, log, rows[_HOUR][0].as_py(), region)
        sent = map(as_sent, named)
        write_whole(path, (json_line(record, share) for record, share in zip(sent, shares, strict=True)))
        return pa.table({"lines": pa.array([len(named)], type=pa.int64())})

    counted = lines.groupBy(_HOUR).applyInArrow(write_file, "lines long").agg(F.sum("lines").alias("lines"))
    row = counted.first()
    rows = 0 if row is None or row["lines"] is None else int(row["lines"])
    seconds = time.monotonic() - began
    return LogWritten(log=log, rows=rows, planted=delivery.planted, seconds=seconds)
