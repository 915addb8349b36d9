"""What Spark's event log says of a run: bytes shuffled, and the largest task of the heaviest stage over its median.

The first task of a core also starts a Python worker and compiles what the later ones run, so the ratio is given with
and without first tasks.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stages:
    """Figures of one application.

    Attributes:
        largest_to_median: of the tasks of the heaviest stage.
        later_to_median: the same without the tasks that began before any had ended.
    """

    shuffle_bytes: int
    largest_to_median: float
    later_to_median: float


@dataclass(frozen=True, slots=True)
class _Task:
    began: int
    ended: int
    millis: int


def stages(folder: Path) -> Stages:
    """Read the newest event log in ``folder``."""
    newest = max(folder.rglob("*"), key=lambda path: path.stat().st_mtime if path.is_file() else 0)
    by_stage: dict[int, list[_Task]] = defaultdict(list)
    shuffled = 0
    for line in newest.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["Event"] != "SparkListenerTaskEnd" or "Task Metrics" not in event:
            continue
        metrics = event["Task Metrics"]
        shuffled += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
        reads = metrics["Shuffle Read Metrics"]
        if reads["Local Bytes Read"] + reads["Remote Bytes Read"]:
            info = event["Task Info"]
            task = _Task(info["Launch Time"], info["Finish Time"], metrics["Executor Run Time"])
            by_stage[event["Stage ID"]].append(task)
    heaviest = max(by_stage.values(), key=lambda tasks: sum(task.millis for task in tasks), default=[])
    first_end = min((task.ended for task in heaviest), default=0)
    later = [task for task in heaviest if task.began >= first_end]
    median = max(statistics.median([task.millis for task in heaviest] or [1]), 1)
    return Stages(
        shuffled, *(max((task.millis for task in some), default=0) / median for some in (heaviest, later))
    )
