"""A lake as it is after some time: what it holds is older than it was."""

from __future__ import annotations

import json
import os
import time
from typing import Any

_TIMES = {
    "commitInfo": "timestamp",
    "add": "modificationTime",
    "remove": "deletionTimestamp",
    "metaData": "createdTime",
}


def let_pass(project: Any, days: int) -> None:
    """Make every commit and file of the project's lake older by so many days."""
    root = project.folder / "lake"
    for path in root.glob("*/_delta_log/*.json"):
        actions = [_older(json.loads(line), days) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(action) + "\n" for action in actions))
    for checksum in root.glob("*/_delta_log/*.crc"):
        checksum.unlink()
    for checksum in root.glob("*/_delta_log/.*.crc"):
        checksum.unlink()
    then = time.time() - days * 86_400
    for path in root.rglob("*"):
        os.utime(path, (then, then))
    project.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # noqa: SLF001 - Delta keeps what it has read


def _older(action: dict[str, Any], days: int) -> dict[str, Any]:
    for kind, name in _TIMES.items():
        if kind in action:
            action[kind][name] -= days * 86_400_000
    return action


def leave_behind(project: Any, table: str, name: str) -> str:
    """A file of a write that was killed before it was committed; returns its name."""
    (project.folder / "lake" / table / name).write_bytes(b"x" * 1000)
    return name
