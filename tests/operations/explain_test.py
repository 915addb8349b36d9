"""``trustlake explain``: the stored value, the value from the events, and every event with what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from features.source import Source
from features.view import build_view, spine_rows
from jobs.job import check
from lake.ingest.schemas import events
from lake.tables import CommitStamp, Lake, TableSpec
from operations.cli import main

CONFIG = """\
lake: {root: lake}
raw: {root: raw}
contracts: [logs.yml]
definitions: definitions.py
mlflow: {store: mlflow, experiment: tests, registry_schema: trustlake.tests}
training:
  split: {train_days: 2, test_days: 1}
  sweep: {trials: 1, space: {max_depth: {integer: [2, 3]}}}
"""
CONTRACT = """\
log: payments
description: Payments
files: {pattern: "payments/{day}.jsonl", format: json}
key: [payment_id]
event_at: ts
known_at: {lag: 0s}
columns:
  payment_id: {type: string}
  card_id: {type: string}
  amount: {type: "decimal(18,2)", required: true, unit: USD}
"""
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


class Project:
    """A user's project in a folder: its payments, and the features built of them."""

    def __init__(self, folder: Path, spark: SparkSession) -> None:
        self.folder, self.spark = folder, spark
        for name, text in {"base.yml": CONFIG, "logs.yml": CONTRACT, "definitions.py": DEFINITIONS}.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.config = ["--config", str(folder / "base.yml")]

        loaded, self.contracts, self.definitions = check(self.config[1:])
        stamp = CommitStamp(run_id="run-1", code_version="c", config_hash=loaded.hash)
        self.lake = Lake(spark, loaded.config.lake, stamp)

    def pay(self, rows: Sequence[tuple[str, str | None, str, datetime, datetime]]) -> None:
        """Payments as an ingest leaves them: id, card, amount, when it happened, when it was known."""
        spec = events(self.contracts["payments"])
        self.lake.ensure(spec)
        values = [
            {
                "payment_id": name,
                "card_id": card,
                "amount": Decimal(amount),
                "event_at": at,
                "known_at": known,
            }
            for name, card, amount, at, known in rows
        ]
        ordered = [tuple(row.get(column) for column in spec.schema.fieldNames()) for row in values]
        self.lake.append(spec.name, self.spark.createDataFrame(ordered, spec.schema))

    def build(self) -> None:
        """The feature table as a build leaves it."""
        view = self.definitions.views["payments"]
        rows = self.lake.read("events_payments")
        built = build_view(view, spine_rows(view, rows), {"payments": Source(rows, ("payment_id",))})
        self.lake.ensure(TableSpec(view.table, "Features", built.schema))
        self.lake.append(view.table, built)

    def explain(self, row: str, feature: str, *further: str) -> str:
        """What the command prints."""
        with redirect_stdout(StringIO()) as said:
            assert main(["explain", *self.config, "--row", row, "--feature", feature, *further]) == 0
        return said.getvalue()


@pytest.fixture(scope="module")
def project(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"), _session)
    made.pay(
        [
            ("p1", "c1", "5.00", NOON - 30 * HOUR, NOON - 30 * HOUR),
            ("p2", "c1", "1.50", NOON - 2 * HOUR, NOON - 2 * HOUR),
            ("p3", "c1", "2.00", NOON - HOUR, NOON - HOUR),
            ("p4", "c1", "9.00", NOON - HOUR, NOON + HOUR),
            ("p5", "c1", "3.50", NOON, NOON),
            ("p6", None, "4.00", NOON, NOON),
            ("q1", "c2", "7.00", NOON, NOON),
        ]
    )
    made.build()
    return made


def test_the_stored_value_stands_beside_the_events_it_comes_from(project: Project) -> None:
    said = project.explain("p5", "card_amount_sum_1d")
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


def test_what_is_beyond_the_limit_is_counted_and_computed_with(project: Project) -> None:
    said = project.explain("p5", "card_amount_mean_1d", "--limit", "1")
    assert "stored value: 1.75\nvalue from the evidence: 1.75\n" in said
    assert "counts: 2 of payments" in said
    assert "left out, too old: 1 of payments\n" in said
    assert said.count("2026-03-01 11:00:00") == 2  # the one row that is shown
    assert said.endswith("\n4 more rows; --limit 5 shows them all\n")


def test_a_row_without_the_entity_has_no_evidence(project: Project) -> None:
    said = project.explain("p6", "card_payment_count_1d")
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
def test_other_features_are_explained_by_what_they_read(
    project: Project, feature: str, expected: str
) -> None:
    assert project.explain("p5", feature).endswith(expected)


def test_events_that_came_after_the_build_are_told(project: Project) -> None:
    assert "value from the evidence: 0\n" in project.explain("q1", "card_payment_count_1d")
    project.pay([("q0", "c2", "1.00", NOON - HOUR, NOON - HOUR)])
    said = project.explain("q1", "card_payment_count_1d")
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
    project: Project,
    capsys: pytest.CaptureFixture[str],
    row: str,
    feature: str,
    further: list[str],
    expected: str,
) -> None:
    assert main(["explain", *project.config, "--row", row, "--feature", feature, *further]) == 1
    assert f"trustlake explain: {expected}" in capsys.readouterr().err


def test_a_feature_of_two_views_needs_the_view_and_a_new_one_needs_a_build(
    project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "two.py").write_text(
        DEFINITIONS.replace('count("payment_count")', 'count("n"), count("payment_count")') + SECOND,
        encoding="utf-8",
    )
    (tmp_path / "two.yml").write_text("definitions: two.py\n", encoding="utf-8")
    asked = ["explain", *project.config, "--config", str(tmp_path / "two.yml"), "--row", "p5", "--feature"]
    assert main([*asked, "amount"]) == 1
    assert "payments and others both have amount; name one with --view" in capsys.readouterr().err
    assert main([*asked, "card_n_1d", "--view", "payments"]) == 1
    assert (
        "features_payments has no card_n_1d: it was built before that was declared" in capsys.readouterr().err
    )
    assert main([*asked, "card_payment_count_1d", "--view", "payments"]) == 0
    assert "the row was built by definition " in capsys.readouterr().out
