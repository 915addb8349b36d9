"""Raw files to Delta, by the ingest and by the barest Spark: ``python -m benchmarks.ingest --accounts 9000 --days 60``.

The bare copy reads the same files with the types of the contracts and writes them to Delta, a table a log: no file is
noted, no row refused, no second delivery recognised. Each is a process of its own on the same simulated files,
in a lake of its own, interleaved; the table gives medians, and CPU less an empty session's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import yaml
from pyspark.sql.types import StructField, StructType, TimestampType

from benchmarks.competitors.spark import EVENT_LOGS, session
from benchmarks.measure import Cost, measured
from jobs.ingest_logs import IngestLogs
from jobs.job import run_job
from jobs.simulate_logs import SimulateLogs
from lake.contracts import Contract, read_contracts

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "conf" / "contracts"
MARKETPLACE = (ROOT / "conf" / "base.yml", ROOT / "conf" / "marketplace.yml")
EMPTY, SIMULATE, BARE, INGEST = "empty session", "simulate_logs", "bare copy", "ingest_logs"
_TIMEOUT_SECONDS = 3600.0


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print a table in Markdown; see ``--help``."""
    parser = argparse.ArgumentParser(prog="ingest", description=__doc__)
    parser.add_argument("--accounts", type=int, default=9000, help="honest accounts of the marketplace")
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / ".trustlake" / "bench" / "ingest")
    parser.add_argument(
        "--step", choices=[EMPTY, SIMULATE, BARE, INGEST], help="what a measured process does"
    )
    arguments = parser.parse_args(argv)
    folder = arguments.folder.absolute()
    if arguments.step:
        _do(arguments.step, folder)
    else:
        _compare(folder, arguments.accounts, arguments.days, arguments.repeats)


def _do(step: str, folder: Path) -> None:
    if step == EMPTY:
        session().range(1).count()
    elif step == BARE:
        _bare_copy(folder)
    else:
        job = SimulateLogs if step == SIMULATE else IngestLogs
        files = (*MARKETPLACE, folder / "conf.yml")
        done = run_job(job, [part for file in files for part in ("--config", str(file))])
        print(f"{done.outcome.rows_in or done.outcome.rows_out} rows")


def _bare_copy(folder: Path) -> None:
    spark, rows = session(), 0
    for contract in read_contracts([str(CONTRACTS)]).values():
        files = f"{folder}/raw/{contract.files.glob}"
        place = f"{folder}/bare/{contract.log}"
        spark.read.schema(_typed(contract)).json(files).write.format("delta").save(place)
        rows += spark.read.format("delta").load(place).count()
    print(f"{rows} rows")


def _typed(contract: Contract) -> StructType:
    """Every raw column that the contract reads, with the type of what is read from it."""
    times = {place.column: TimestampType() for place in (*contract.happened, *contract.arrived)}
    values = {
        place.column: column.spark_type
        for name, column in contract.columns.items()
        for place in column.places(name)
    }
    return StructType([StructField(name, kind) for name, kind in (times | values).items()])


def _compare(folder: Path, accounts: int, days: int, repeats: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "event_logs").mkdir(parents=True)
    os.environ[EVENT_LOGS] = str(folder / "event_logs")
    (folder / "conf.yml").write_text(_configuration(accounts, days), encoding="utf-8")
    written = _run(folder, SIMULATE)
    found: dict[str, list[Cost]] = defaultdict(list, {SIMULATE: [written]})
    for _ in range(repeats):
        for step in (EMPTY, BARE, INGEST):
            for place in ("bare", "lake"):
                shutil.rmtree(folder / place, ignore_errors=True)
            found[step].append(_run(folder, step))
            print(f"{step}: {found[step][-1].cpu_seconds:.1f} CPU s", file=sys.stderr)
    _print(folder, found)


def _run(folder: Path, step: str) -> Cost:
    command = [sys.executable, "-m", "benchmarks.ingest", "--step", step, "--folder", str(folder)]
    return measured(command, folder=ROOT, log=_log(folder, step), timeout=_TIMEOUT_SECONDS)


def _log(folder: Path, step: str) -> Path:
    return folder / f"{step.replace(' ', '_')}.log"


def _configuration(accounts: int, days: int) -> str:
    """The built-in marketplace at another size, with as many payments an account."""
    return yaml.safe_dump(
        {
            "lake": {"root": "lake"},
            "raw": {"root": "raw"},
            "mlflow": {"store": "mlflow"},
            "simulation": {"accounts": accounts, "days": days, "payments_per_day": accounts / 56},
            "spark": {"master": "local[2]", "driver_memory": "4g"},
        }
    )


def _print(folder: Path, found: dict[str, list[Cost]]) -> None:
    median = {
        step: {
            part: statistics.median(getattr(cost, part) for cost in costs)
            for part in ("cpu_seconds", "wall_seconds", "peak_bytes")
        }
        for step, costs in found.items()
    }
    start = median.pop(EMPTY)["cpu_seconds"]
    bare = median[BARE]["cpu_seconds"] - start
    raw = sum(path.stat().st_size for path in (folder / "raw").rglob("*.gz"))
    stored = [
        path.stat().st_size for path in (folder / "lake").rglob("*.parquet") if "_delta_log" not in str(path)
    ]
    print(f"\n### {raw / 1e6:.0f} MB of gzip\n")
    print("| | rows | CPU s | x bare copy | rows a CPU s | wall s | peak GB |\n|---|---|---|---|---|---|---|")
    for step, costs in median.items():
        cpu, rows = costs["cpu_seconds"] - start, _rows(folder, step)
        ratio = "" if step == SIMULATE else f"{cpu / bare:.2f}"
        wall, peak = f"{costs['wall_seconds']:.0f}", f"{costs['peak_bytes'] / 1e9:.1f}"
        print(f"| {step} | {rows:,} | {cpu:.1f} | {ratio} | {rows / cpu:,.0f} | {wall} | {peak} |")
    print(f"\nThe lake has {len(stored)} data files with {statistics.mean(stored) / 1e3:.0f} kB on average.")


def _rows(folder: Path, step: str) -> int:
    said = _log(folder, step).read_text(encoding="utf-8").splitlines()
    return int(next(line for line in said if line.endswith(" rows")).removesuffix(" rows"))


if __name__ == "__main__":
    main()
