"""A day's build from a state against one that reads everything: ``python -m benchmarks.increment --rows 4``.

Both build the last of 180 days, a file each; the state of the day before is there, and is carried on by the one that
uses it. Each build is a process of its own; the table gives medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from benchmarks.agreement import differences, sampled
from benchmarks.competitors.spark import EVENT_LOGS, session
from benchmarks.events import MICROS_PER_DAY, Shape, write_events
from benchmarks.measure import Cost, measured
from benchmarks.question import PARTITIONS, WINDOWS, Question
from features.declare import LIFETIME, FeatureView
from features.source import Source
from features.view import build_view, spine_rows, view_states
from features.windows.state import State
from jobs.files_read import files_read

ROOT = Path(__file__).parents[1]
MILLION, DAYS = 1_000_000, 180
BEGIN = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=DAYS - 1)
UNTIL = int(BEGIN.timestamp()) * MILLION - 1
PREPARE, WHOLE, FROM_STATE = "prepare", "whole", "from_state"
_TIMEOUT_SECONDS = 3600.0


def declared() -> FeatureView:
    """Seven aggregates over windows of up to 30 days and a lifetime."""
    view = Question(events="", out="", rows=0).view
    return replace(view, groups=[replace(group, windows=(*WINDOWS[:-1], LIFETIME)) for group in view.groups])


def prepare(folder: Path, rows: int) -> None:
    """Events as a Delta table with a file a day, and the state of the day before the last."""
    write_events(Shape(rows=rows, days=DAYS), folder / "events")
    events = session().read.parquet(str(folder / "events"))
    by_day = events.repartitionByRange(DAYS, "event_at").sortWithinPartitions("event_at")
    by_day.write.format("delta").mode("overwrite").save(str(folder / "log"))
    made = view_states(declared(), _sources(folder), UNTIL - MICROS_PER_DAY)
    made["key"].rows.write.format("delta").mode("overwrite").save(str(folder / "state"))


def build(folder: Path, name: str) -> None:
    """Build the last day."""
    view, sources = declared(), _sources(folder)
    states: dict[str, State] = {}
    if name == FROM_STATE:
        before = State(UNTIL - MICROS_PER_DAY, session().read.format("delta").load(str(folder / "state")))
        carried = view_states(view, sources, UNTIL, {"key": before})["key"].rows
        carried.write.format("delta").mode("overwrite").save(str(folder / "next"))
        states["key"] = State(UNTIL, session().read.format("delta").load(str(folder / "next")))
    rows = sources["events"].rows
    spine = spine_rows(view, rows, (BEGIN, BEGIN + timedelta(days=1)))
    built = build_view(view, spine, sources, tasks=PARTITIONS, states=states)
    needed, there = files_read(built, {"events": _log(folder)})["events"]
    print(f"{needed} of {there} files read")
    built.write.mode("overwrite").parquet(str(folder / f"{name}.parquet"))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print a table in Markdown; see ``--help``."""
    parser = argparse.ArgumentParser(prog="increment", description=__doc__)
    parser.add_argument("--rows", type=float, default=4, help="millions of events")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / ".trustlake" / "bench" / "increment")
    parser.add_argument("--step", choices=[PREPARE, WHOLE, FROM_STATE], help="what a measured process does")
    arguments = parser.parse_args(argv)
    folder, rows = arguments.folder.absolute(), int(arguments.rows * MILLION)
    if arguments.step == PREPARE:
        prepare(folder, rows)
    elif arguments.step:
        build(folder, arguments.step)
    else:
        _compare(folder, arguments.rows, arguments.repeats)


def _compare(folder: Path, millions: float, repeats: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "event_logs").mkdir(parents=True)
    os.environ[EVENT_LOGS] = str(folder / "event_logs")

    def run(step: str) -> Cost:
        command = [sys.executable, "-m", "benchmarks.increment", "--step", step, "--rows", str(millions)]
        log = folder / f"{step}.log"
        return measured([*command, "--folder", str(folder)], folder=ROOT, log=log, timeout=_TIMEOUT_SECONDS)

    print(f"{PREPARE}: {run(PREPARE).cpu_seconds:.1f} CPU s", file=sys.stderr)
    found: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(repeats):
        for step in (WHOLE, FROM_STATE):
            found[step].append(run(step))
    print(f"\n### A day of {millions:g} million events in {DAYS} days\n")
    print("| | CPU s | wall s | peak GB | files |\n|---|---|---|---|---|")
    for step, costs in found.items():
        cpu, wall, peak = (
            statistics.median(getattr(cost, part) for cost in costs)
            for part in ("cpu_seconds", "wall_seconds", "peak_bytes")
        )
        said = (folder / f"{step}.log").read_text(encoding="utf-8")
        files = next(line for line in said.splitlines() if line.endswith("files read")).removesuffix(
            " files read"
        )
        print(f"| {step} | {cpu:.1f} | {wall:.0f} | {peak / 1e9:.1f} | {files} |")
    features = [name for name in declared().features if not name.startswith("has_")]
    whole, from_state = (sampled(folder / f"{step}.parquet", features, 1) for step in (WHOLE, FROM_STATE))
    print(f"\ncells that differ: {sum(differences(whole, from_state, features).values())}")


def _sources(folder: Path) -> dict[str, Source]:
    rows = _log(folder)
    return {"events": Source(rows.where(F.col("known_at") < F.lit(BEGIN + timedelta(days=1))), ("event_id",))}


def _log(folder: Path) -> DataFrame:
    return session().read.format("delta").load(str(folder / "log"))


if __name__ == "__main__":
    main()
