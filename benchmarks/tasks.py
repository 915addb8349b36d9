"""What Spark's event log says of a run: bytes shuffled, and the largest task of the heaviest stage over its median."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stages:
    """Figures of one application."""

    shuffle_bytes: int
    largest_to_median: float


def stages(folder: Path) -> Stages:
    """Read the newest event log in ``folder``."""
    newest = max(folder.rglob("*"), key=lambda path: path.stat().st_mtime if path.is_file() else 0)
    durations: dict[int, list[int]] = defaultdict(list)
    shuffled = 0
    for line in newest.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["Event"] != "SparkListenerTaskEnd" or "Task Metrics" not in event:
            continue
        metrics = event["Task Metrics"]
        shuffled += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
        reads = metrics["Shuffle Read Metrics"]
        if reads["Local Bytes Read"] + reads["Remote Bytes Read"]:
            durations[event["Stage ID"]].append(metrics["Executor Run Time"])
    heaviest = max(durations.values(), key=sum, default=[1])
    return Stages(shuffled, max(heaviest) / max(statistics.median(heaviest), 1))
