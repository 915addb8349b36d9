"""The engine against what a user would pick instead: ``python -m benchmarks.point_in_time --rows 1 4 16``.

Each answer is computed in a process of its own, on the same files, competitors interleaved; the table gives medians.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.agreement import differences, sampled
from benchmarks.competitors.spark import EVENT_LOGS
from benchmarks.events import Shape, write_events
from benchmarks.measure import CommandFailedError, Cost, measured
from benchmarks.question import Question
from benchmarks.tasks import Stages, stages

ROOT = Path(__file__).parents[1]
MILLION = 1_000_000
ENGINE, FLOOR, REWRITTEN, EMPTY = "trustlake", "floor", "rewritten", "empty_spark"
ON_SPARK = (ENGINE, FLOOR, REWRITTEN, "segment_tree", "spark_windows", "join_and_group")
# Competitors that grow with the square of a hot key are measured up to this many rows.
LARGEST = {"join_and_group": 100_000, "spark_windows": MILLION, "duckdb_windows": 16 * MILLION}
OTHERS = ("polars_rolling", "duckdb_windows")
_SAMPLE_EVERY = 256
_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Run:
    """One answer: what it cost, and what Spark says of it."""

    cost: Cost
    stages: Stages | None


@dataclass(frozen=True, slots=True)
class Bench:
    """One number of rows, measured in one folder."""

    folder: Path
    rows: int
    with_distinct: bool

    @property
    def events(self) -> Path:
        return self.folder / "events"

    def question(self, name: str) -> Question:
        out = self.folder / f"{name}.parquet"
        return Question(
            events=str(self.events), out=str(out), rows=self.rows, with_distinct=self.with_distinct
        )

    def run(self, name: str) -> Run:
        """Let one competitor answer.

        Raises:
            CommandFailedError: it fails.
        """
        question, logs = self.question(name), self.folder / "event_logs"
        out = Path(question.out)
        shutil.rmtree(out, ignore_errors=True)
        out.unlink(missing_ok=True)
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        command = [sys.executable, "-m", "benchmarks.answer", name, json.dumps(asdict(question))]
        os.environ[EVENT_LOGS] = str(logs)
        cost = measured(command, folder=ROOT, log=self.folder / f"{name}.log", timeout=_TIMEOUT_SECONDS)
        return Run(cost, stages(logs) if name in ON_SPARK else None)

    def disagreements(self, name: str) -> dict[str, int]:
        """Where a competitor's answer differs from the engine's."""
        view = self.question(name).view
        features = [feature for feature in view.features if not feature.startswith("has_")]
        ours, theirs = (
            sampled(Path(self.question(one).out), features, _SAMPLE_EVERY) for one in (ENGINE, name)
        )
        return differences(ours, theirs, features)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print a table in Markdown; see ``--help``."""
    parser = argparse.ArgumentParser(prog="point_in_time", description=__doc__)
    parser.add_argument("--rows", nargs="+", type=float, default=[1, 4, 16], help="millions of events")
    parser.add_argument(
        "--competitors",
        nargs="+",
        default=[FLOOR, ENGINE, REWRITTEN, "segment_tree", "spark_windows", *OTHERS],
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--late-share", type=float, default=0.0, help="competitors that know only event time need 0"
    )
    parser.add_argument("--hot-share", type=float, default=0.1)
    parser.add_argument("--distinct", action="store_true", help="exact distinct counts as well")
    parser.add_argument("--folder", type=Path, default=ROOT / ".trustlake" / "bench")
    arguments = parser.parse_args(argv)
    growth: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for millions in arguments.rows:
        rows = int(millions * MILLION)
        bench = Bench(arguments.folder / f"{rows}", rows, arguments.distinct)
        shape = Shape(rows=rows, late_share=arguments.late_share, hot_share=arguments.hot_share)
        shutil.rmtree(bench.folder, ignore_errors=True)
        write_events(shape, bench.events)
        able = [name for name in arguments.competitors if rows <= LARGEST.get(name, rows)]
        # It reads the engine's answer.
        chosen = sorted(able, key=lambda name: name == REWRITTEN)
        found = _interleaved(bench, chosen, arguments.repeats)
        print(
            _table(
                rows,
                found,
                {name: bench.disagreements(name) for name in found if name not in {ENGINE, FLOOR, REWRITTEN}},
            )
        )
        for name, cpu in _medians(found).items():
            growth[name].append((rows, cpu))
    for name, points in growth.items():
        if len(points) > 1:
            print(f"growth exponent of {name}: {_exponent(points):.2f}")


def _interleaved(bench: Bench, names: Sequence[str], repeats: int) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = defaultdict(list)
    empty = [bench.run(EMPTY).cost.cpu_seconds for _ in range(repeats)]
    for number in range(repeats):
        for name in names:
            try:
                run = bench.run(name)
            except CommandFailedError as error:
                print(f"{name}: {error}", file=sys.stderr)
                continue
            start = statistics.median(empty) if name in ON_SPARK else 0.0
            cost = Cost(
                max(run.cost.cpu_seconds - start, 0.0),
                run.cost.wall_seconds,
                run.cost.peak_bytes,
                run.cost.python_bytes,
            )
            found[name].append(Run(cost, run.stages))
            print(f"{number + 1}/{repeats} {name}: {cost.cpu_seconds:.1f} CPU s", file=sys.stderr)
    return found


def _medians(found: Mapping[str, Sequence[Run]]) -> dict[str, float]:
    return {name: statistics.median(run.cost.cpu_seconds for run in runs) for name, runs in found.items()}


def _table(rows: int, found: Mapping[str, Sequence[Run]], differing: Mapping[str, Mapping[str, int]]) -> str:
    cpu = _medians(found)
    floor = cpu.get(FLOOR, math.nan)
    lines = [
        f"\n### {rows:,} events\n",
        "| | CPU s | x floor | wall s | peak GB | Python GB | shuffled MB | largest/median | later | differing |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, runs in sorted(found.items(), key=lambda item: cpu[item[0]]):
        wall, peak, python = (
            statistics.median(getattr(run.cost, part) for run in runs)
            for part in ("wall_seconds", "peak_bytes", "python_bytes")
        )
        of_spark = [run.stages for run in runs if run.stages is not None]
        shuffled = f"{statistics.median(s.shuffle_bytes for s in of_spark) / 1e6:.0f}" if of_spark else ""
        largest, later = (
            f"{statistics.median(getattr(s, part) for s in of_spark):.1f}" if of_spark else ""
            for part in ("largest_to_median", "later_to_median")
        )
        cells = str(sum(differing[name].values())) if name in differing else ""
        parts = [
            f"{cpu[name]:.1f}",
            f"{cpu[name] / floor:.2f}",
            f"{wall:.0f}",
            f"{peak / 1e9:.1f}",
            f"{python / 1e9:.1f}",
        ]
        lines.append(f"| {name} | {' | '.join([*parts, shuffled, largest, later, cells])} |")
    return "\n".join(lines)


def _exponent(points: Sequence[tuple[int, float]]) -> float:
    """Slope of log CPU against log rows, by least squares."""
    xs, ys = ([math.log(value) for value in column] for column in zip(*points, strict=True))
    x0, y0 = statistics.fmean(xs), statistics.fmean(ys)
    return sum((x - x0) * (y - y0) for x, y in zip(xs, ys, strict=True)) / sum((x - x0) ** 2 for x in xs)


if __name__ == "__main__":
    main()
