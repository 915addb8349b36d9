"""A log whose rows later rows take back or correct, from its files to the features made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from jobs.build_features import BuildFeatures
from jobs.ingest_logs import IngestLogs
from jobs.job import run_job

pytestmark = pytest.mark.minutes

NAMES = "message_id", "dispute_id", "payment_id", "action", "ts"


def deliver(project: Any, log: str, day: int, *rows: Mapping[str, object]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    project.write(f"raw/{log}/2026-03-{day:02}.jsonl", lines)


def dispute(*values: str | None) -> dict[str, str]:
    return {name: value for name, value in zip(NAMES, values, strict=False) if value is not None}


def ingest(project: Any, *argv: str) -> Any:
    return run_job(IngestLogs, ["--config", project.config, *argv]).outcome


def disputes(project: Any) -> set[tuple[str, str, str | None, str]]:
    """Message, card, what it is to its row, and when that happened."""
    rows = project.lake.read("events_disputes").collect()
    return {
        (row["message_id"], row["payment_id"], row["revision"], f"{row['event_at']:%d %H:%M}") for row in rows
    }


def test_a_row_is_taken_back_by_its_id_alone_and_corrected(project: Any) -> None:
    project.revise_disputes()
    project.definitions(
        'source="payments", windows=[days(1)], measures=[count("payments"), total("amount"), largest("amount")]',
        'source="disputes", source_key="payment_id", windows=[days(9)], measures=[count("disputes")]',
    )
    cards = [
        {"payment_id": card, "card_id": card, "amount": 1, "ts": "2026-03-08T10:00:00Z"} for card in "abcd"
    ]
    deliver(project, "payments", 8, *cards)
    deliver(
        project,
        "disputes",
        1,
        *(dispute(f"m{name}", f"d{name}", name, None, "2026-03-01T05:00:00Z") for name in "abc"),
    )
    deliver(
        project,
        "disputes",
        2,
        dispute("m4", "da", None, "void", "2026-03-02T07:00:00Z"),
        dispute("m5", "db", "b", "amend", "2026-03-01T06:00:00Z"),
        dispute("m6", "dd", None, "void", "2026-03-02T08:00:00Z"),
        dispute("mc", "dc", "c", None, "2026-03-01T05:00:00Z"),
    )
    outcome = ingest(project)
    told = {
        ("ma", "a", None, "01 05:00"),
        ("mb", "b", None, "01 05:00"),
        ("mc", "c", None, "01 05:00"),
        ("m4", "a", "retraction", "01 05:00"),
        ("m5", "b", "correction", "01 06:00"),
    }
    assert disputes(project) == told
    known = {
        row["message_id"]: f"{row['known_at']:%d %H}"
        for row in project.lake.read("events_disputes").collect()
    }
    assert known["m4"] == "03 07"
    assert (outcome.refused, [row["reason"] for row in project.lake.read("quarantine").collect()]) == (
        1,
        ["payment_id_missing"],
    )

    deliver(project, "disputes", 3, dispute("m7", "dd", "d", None, "2026-03-01T09:00:00Z"))
    ingest(project)
    ingest(project, "--replay-quarantine")
    assert disputes(project) == told | {("m7", "d", None, "01 09:00"), ("m6", "d", "retraction", "01 09:00")}
    assert project.lake.read("quarantine").count() == 0

    run_job(BuildFeatures, ["--config", project.config])
    built = {
        row["payment_id"]: row["card_disputes_9d"] for row in project.lake.read("features_payments").collect()
    }
    assert built == {"a": 0, "b": 1, "c": 1, "d": 0}
