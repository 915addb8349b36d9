"""One tiny marketplace on disk, read as its collector wrote it and as schema version 2 would have worded it."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simulation.marketplace import LogWritten
from simulation.settings import SimulationSettings

TINY = SimulationSettings.tiny().model_copy(update={"partitions": 1})
CONTRACTS = Path(__file__).parents[2] / "conf" / "contracts"


@dataclass(frozen=True)
class Run:
    """One tiny marketplace on disk."""

    root: Path
    written: dict[str, LogWritten]


def raw_lines(run: Run, log: str) -> list[str]:
    """The lines of a log in the order of arrival; bytes that are not UTF-8 as U+FFFD."""
    files = sorted((run.root / log).glob("ingest_date=*/hour=*/*.jsonl.gz"))
    return [line for file in files for line in lines_of(file)]


def lines_of(file: Path) -> list[str]:
    return gzip.decompress(file.read_bytes()).decode(errors="replace").splitlines()


def sent(lines: list[str]) -> list[dict[str, Any]]:
    """The lines that were not cut off, as they were worded."""
    found = []
    for line in lines:
        with suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def whole(lines: list[str]) -> list[dict[str, Any]]:
    """The same, in the words of schema version 2."""
    return [understood(event) for event in sent(lines)]


def understood(event: dict[str, Any]) -> dict[str, Any]:
    if "device" in event:
        device = event.pop("device")
        event["device_id"] = device["id"] if isinstance(device, dict) else device
    at = event["event_ts"]
    if isinstance(at, int):
        event["event_ts"] = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).isoformat()
    elif at.startswith("20") and len(at) == len("2026-01-01T00:00:00.000"):
        event["event_ts"] = at + "Z"
    if event.get("kind") == "login_success":
        event["kind"] = "login_ok"
    return event


def parsed(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text.startswith("20") else None


def is_test(event: dict[str, Any]) -> bool:
    """Whether a monitor or tester made the event."""
    return any(str(value).startswith("acc_test_") for value in event.values())
