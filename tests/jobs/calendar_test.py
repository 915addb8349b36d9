"""A view of a calendar: built part by part as at once, and planned."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from jobs.build_features import BuildFeatures
from operations.cli import main

DEFINITIONS = """\
from features.declare import Calendar, Entity, FeatureGroup, FeatureView, Spine, count, days

card = Entity("card", key="card_id")
view = FeatureView(
    name="cards",
    spine=Spine(source="payments", row="card_day", as_of=Calendar(entity=card, every=days(1))),
    groups=[FeatureGroup(entity=card, source="payments", windows=[days(2)], measures=[count("payments")])],
)
"""


def payment(name: str, card: str, at: datetime, known: datetime | None = None) -> dict[str, object]:
    return {
        "payment_id": name,
        "card_id": card,
        "amount": Decimal(1),
        "event_at": at,
        "known_at": known or at,
    }


def test_part_by_part_gives_what_one_build_gives(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> set[tuple[object, ...]]:
        table = project.lake.read("features_cards").select("card_day", "card_id", "card_payments_2d")
        return {tuple(row) for row in table.collect()}

    project.write("definitions.py", DEFINITIONS)
    at = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in range(1, 6)]
    project.add_events(
        "payments",
        [
            payment("p1", "a", at[0]),
            payment("p2", "b", at[0], at[2]),
            payment("p3", "a", at[1]),
        ],
    )
    for first, last, rows_out in ((1, 3, 1), (3, 5, 3)):
        span = ("--from", f"2026-03-0{first}", "--to", f"2026-03-0{last}")
        assert project.work(BuildFeatures, *span).rows_out == rows_out
    parts = rows()
    assert parts == {
        ("a 2026-03-02T00:00:00.000000", "a", 1), ("a 2026-03-03T00:00:00.000000", "a", 2),
        ("a 2026-03-04T00:00:00.000000", "a", 1), ("b 2026-03-04T00:00:00.000000", "b", 0),
    }  # fmt: skip
    project.work(BuildFeatures, "--from", "2026-03-01", "--to", "2026-03-05")
    assert rows() == parts
    capsys.readouterr()
    assert main(["plan", "--config", project.config]) == 0
    assert (
        "spine: 4 rows, 2026-03-02 to 2026-03-04; built: 4\n  missing: nothing\n" in capsys.readouterr().out
    )
