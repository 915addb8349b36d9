"""``trustlake explain``: the stored value, the value from the events, and every event with what became of it."""

from __future__ import annotations

from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from features.source import Source
from features.view import build_view, spine_rows
from jobs.job import check
from lake.tables import TableSpec
from operations.cli import main

DEFINITIONS = """\
from features.declare import (
    Entity, FeatureGroup, FeatureView, Spine, count, days, expression, hour_of_day, mean, ratio, total
)

group = FeatureGroup(
    entity=Entity("card", key="card_id"), source="payments", windows=[days(1)],
    measures=[count("payment_count"), total("amount"), mean("amount")],
)
spine = Spine(source="payments", row="payment_id", columns=["amount", hour_of_day("event_at")])
view = FeatureView(
    name="payments", spine=spine, groups=[group],
    derived=[ratio("amount_to_mean", of="amount", to="card_amount_mean_1d")],
)
"""
SECOND = """
other = FeatureView(name="others", spine=spine, groups=[group])
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def pay(project: Any, *rows: tuple[str, str | None, str, datetime, datetime]) -> None:
    """Payments as an ingest leaves them: id, card, amount, when it happened, when it was known."""
    names = ("payment_id", "card_id", "amount", "event_at", "known_at")
    values = [(name, card, Decimal(amount), at, known) for name, card, amount, at, known in rows]
    project.add_events("payments", [dict(zip(names, row, strict=True)) for row in values])


def explain(project: Any, row: str, feature: str, *further: str) -> str:
    """What the command prints."""
    asked = ["explain", "--config", project.config, "--row", row, "--feature", feature, *further]
    with redirect_stdout(StringIO()) as said:
        assert main(asked) == 0
    return said.getvalue()


@pytest.fixture(scope="module")
def paid(shared_project: Any) -> Any:
    """A project with its payments and the features that a build leaves of them."""
    project = shared_project
    project.write("definitions.py", DEFINITIONS)
    pay(
        project,
        ("p1", "c1", "5.00", NOON - 30 * HOUR, NOON - 30 * HOUR),
        ("p2", "c1", "1.50", NOON - 2 * HOUR, NOON - 2 * HOUR),
        ("p3", "c1", "2.00", NOON - HOUR, NOON - HOUR),
        ("p4", "c1", "9.00", NOON - HOUR, NOON + HOUR),
        ("p5", "c1", "3.50", NOON, NOON),
        ("p6", None, "4.00", NOON, NOON),
        ("q1", "c2", "7.00", NOON, NOON),
    )
    _, _, definitions = check([project.config])
    view, rows = definitions.views["payments"], project.lake.read("events_payments")
    built = build_view(view, spine_rows(view, rows), {"payments": Source(rows, ("payment_id",))})
    project.lake.ensure(TableSpec(view.table, "Features", built.schema))
    project.lake.append(view.table, built)
    return project


def test_the_stored_value_stands_beside_the_events_it_comes_from(paid: Any) -> None:
    said = explain(paid, "p5", "card_amount_sum_1d")
    assert said.splitlines() == [
        "card_amount_sum_1d of payments p5, as of 2026-03-01 12:00:00 UTC",
        "Sum of amount over payments, of the card in the 1d before as_of; 0 where there are none",
        "",
        "card_id: c1",
        "stored value: 3.50",
        "value from the evidence: 3.50",
        "",
        "counts: 2 of payments",
        "  source row  event_at             known_at             value  contribution",
        "  p3          2026-03-01 11:00:00  2026-03-01 11:00:00  2.00   2.00",
        "  p2          2026-03-01 10:00:00  2026-03-01 10:00:00  1.50   1.50",
        "",
        "left out, same instant: 1 of payments",
        "  source row  event_at             known_at             value  contribution",
        "  p5          2026-03-01 12:00:00  2026-03-01 12:00:00  3.50   null",
        "",
        "left out, too old: 1 of payments",
        "  source row  event_at             known_at             value  contribution",
        "  p1          2026-02-28 06:00:00  2026-02-28 06:00:00  5.00   null",
        "",
        "left out, too late: 1 of payments",
        "  source row  event_at             known_at             value  contribution",
        "  p4          2026-03-01 11:00:00  2026-03-01 13:00:00  9.00   null",
    ]


def test_what_is_beyond_the_limit_is_counted_and_computed_with(paid: Any) -> None:
    said = explain(paid, "p5", "card_amount_mean_1d", "--limit", "1")
    assert "stored value: 1.75\nvalue from the evidence: 1.75\n" in said
    assert "counts: 2 of payments" in said
    assert "left out, too old: 1 of payments\n" in said
    assert said.count("2026-03-01 11:00:00") == 2  # the one row that is shown
    assert said.endswith("\n4 more rows; --limit 5 shows them all\n")


def test_a_row_without_the_entity_has_no_evidence(paid: Any) -> None:
    said = explain(paid, "p6", "card_payment_count_1d")
    assert (
        "card_id: null\nstored value: null\nvalue from the evidence: null, for the row has no card\n" in said
    )


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("hour_of_day", "hour(event_at) of the payments row itself\n\nstored value: 12\n"),
        ("has_card", "Whether the row has a card\n\ncard_id: c1\nstored value: true\n"),
        ("has_card_history", "before as_of; null where there is none\n\ncard_id: c1\nstored value: true\n"),
        ("amount_to_mean", "\n\namount: 3.50\ncard_amount_mean_1d: 1.75\nstored value: 2.0\n"),
    ],
    ids=["own", "present", "history", "derived"],
)
def test_other_features_are_explained_by_what_they_read(paid: Any, feature: str, expected: str) -> None:
    assert explain(paid, "p5", feature).endswith(expected)


def test_events_that_came_after_the_build_are_told(paid: Any) -> None:
    assert "value from the evidence: 0\n" in explain(paid, "q1", "card_payment_count_1d")
    pay(paid, ("q0", "c2", "1.00", NOON - HOUR, NOON - HOUR))
    said = explain(paid, "q1", "card_payment_count_1d")
    assert (
        "stored value: 0\nvalue from the evidence: 1, which is not the stored value: events or defin" in said
    )


@pytest.mark.parametrize(
    ("row", "feature", "further", "expected"),
    [
        ("p55", "card_payment_count_1d", [], "features_payments has no row with payment_id p55; nearest are p5, "),
        ("p5", "card_payments_1d", [], "payments has no feature card_payments_1d; nearest are card_payment_count_1d"),
        ("p5", "amount", ["--view", "payment"], "there is no view payment; nearest are payments"),
    ],
    ids=["row", "feature", "view"],
)  # fmt: skip
def test_what_is_not_there_is_told_with_what_is_near(
    paid: Any,
    capsys: pytest.CaptureFixture[str],
    row: str,
    feature: str,
    further: list[str],
    expected: str,
) -> None:
    assert main(["explain", "--config", paid.config, "--row", row, "--feature", feature, *further]) == 1
    assert f"trustlake explain: {expected}" in capsys.readouterr().err


def test_a_feature_of_two_views_needs_the_view_and_a_new_one_needs_a_build(
    paid: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "two.py").write_text(
        DEFINITIONS.replace('count("payment_count")', 'count("n"), count("payment_count")') + SECOND,
        encoding="utf-8",
    )
    (tmp_path / "two.yml").write_text("definitions: two.py\n", encoding="utf-8")
    asked = [
        "explain",
        "--config",
        paid.config,
        "--config",
        str(tmp_path / "two.yml"),
        "--row",
        "p5",
        "--feature",
    ]
    assert main([*asked, "amount"]) == 1
    assert "payments and others both have amount; name one with --view" in capsys.readouterr().err
    assert main([*asked, "card_n_1d", "--view", "payments"]) == 1
    assert (
        "features_payments has no card_n_1d: it was built before that was declared" in capsys.readouterr().err
    )
    assert main([*asked, "card_payment_count_1d", "--view", "payments"]) == 0
    assert "the row was built by definition " in capsys.readouterr().out
