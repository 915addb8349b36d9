"""A build with look-ups, rates and a derived source: its table, its lineage, and what is refused beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from features.definition_hash import definition_hash
from jobs.build_features import BuildFeatures
from jobs.job import run_job
from jobs.lineage_table import write_model_lineage
from jobs.prove_features import ProveFeatures
from lake.errors import RefusedError, SchemaError
from operations.cli import main

CONTRACTS = """\
log: cards
description: Changes of cards
files: {pattern: "cards/{day}.jsonl", format: json}
key: [lsn]
event_at: ts
known_at: {lag: 0s}
columns:
  lsn: {type: long}
  op: {type: string}
  card_id: {type: string}
  status: {type: string}
  cap: {type: "decimal(18,4)"}
---
log: fx
description: Rates
files: {pattern: "fx/{day}.jsonl", format: json}
key: [code, day]
event_at: ts
known_at: {lag: 0s}
columns:
  code: {type: string}
  day: {type: string}
  usd: {type: "decimal(18,8)"}
"""
DEFINITIONS = """\
from datetime import timedelta

from features.declare import (
    Entity, FeatureGroup, FeatureView, Lookup, Rates, Spine, SqlSource, converted, count, days, expression, total
)
from features.labels import Label
from training.model import Model

card = Entity("card", key="card_id")
disputed = SqlSource(
    name="disputed",
    sql=\"\"\"
        SELECT d.dispute_id, p.card_id, p.amount, d.event_at, greatest(p.known_at, d.known_at) AS known_at
        FROM {disputes} d JOIN {payments} p USING (payment_id)
    \"\"\",
    key=["dispute_id"],
)
rates = Rates(source="fx", currency="code", rate="usd", into="USD", stale_after=days(7))
view = FeatureView(
    name="payments",
    spine=Spine(
        source="payments", row="payment_id",
        columns=["amount", converted("amount", currency="card_id", rates=rates)],
    ),
    groups=[
        FeatureGroup(
            entity=card, source=disputed, windows=[days(9)], measures=[count("disputes"), total("amount")]
        )
    ],
    lookups=[
        Lookup(
            entity=card, source="cards", columns=["cap"], context=["status"], order_by="lsn", deleted="op = 'D'",
            stale_after=days(30),
        )
    ],
    derived=[expression("is_blocked", "card_status = 'blocked'")],
)
model = Model(
    name="fraud", view=view,
    label=Label(source="disputes", on="payment_id", fraud="true", matures_after=timedelta(days=1)),
)
"""
CARD_CAP = """\
card_id: EUR
stored value: 50.0000
value from the evidence: 50.0000

counts: 1 of cards
  source row  event_at             known_at             value     contribution
  2           2026-03-02 12:00:00  2026-03-02 12:00:00  50.0000   null

left out, superseded: 1 of cards
"""


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def times(moment: datetime, known: datetime | None = None) -> dict[str, object]:
    return {"event_at": moment, "known_at": known or moment}


def filled(project: Any) -> Any:
    """A project whose logs have rows; a currency stands in the column of the card, for want of another."""
    project.write("contracts/more.yml", CONTRACTS)
    project.write("definitions.py", DEFINITIONS)
    payments = [("p1", "EUR", 1), ("p2", "EUR", 2), ("p3", "USD", 3), ("p4", None, 4), ("p5", "EUR", 5)]
    project.add_events(
        "payments",
        [
            {"payment_id": name, "card_id": card, "amount": Decimal(day)} | times(at(day))
            for name, card, day in payments
        ],
    )
    project.add_events(
        "disputes",
        [
            {"dispute_id": "d1", "payment_id": "p1"} | times(at(2, 9), at(4)),
            {"dispute_id": "d2", "payment_id": "p2"} | times(at(3, 9)),
        ],
    )
    project.add_events(
        "cards",
        [
            {"lsn": 1, "op": "I", "card_id": "EUR", "status": "open", "cap": Decimal(100)} | times(at(1, 9)),
            {"lsn": 2, "op": "U", "card_id": "EUR", "status": "blocked", "cap": Decimal(50)}
            | times(at(2, 12)),
        ],
    )
    project.add_events("fx", [{"code": "EUR", "day": "1", "usd": Decimal("1.1")} | times(at(1, 13))])
    return project


@pytest.fixture(scope="module")
def built(shared_project: Any) -> Any:
    """A project that was built once."""
    filled(shared_project).work(BuildFeatures)
    return shared_project


@pytest.fixture
def redefined(built: Any) -> Iterator[Any]:
    """The same project, for other definitions."""
    yield built
    built.write("definitions.py", DEFINITIONS)


def test_every_row_has_what_was_known_of_it(built: Any) -> None:
    names = (
        "amount_in_usd",
        "has_amount_in_usd_rate",
        "card_disputes_9d",
        "card_cap",
        "card_status",
        "is_blocked",
    )
    rows = built.lake.read("features_payments").collect()
    assert {row["payment_id"]: tuple(row[name] for name in names) for row in rows} == {
        "p1": (None, False, 0, Decimal(100), "open", False),
        "p2": (Decimal("2.2"), True, 0, Decimal(100), "open", False),
        "p3": (Decimal(3), True, 0, None, None, None),
        "p4": (None, False, None, None, None, None),
        "p5": (Decimal("5.5"), True, 2, Decimal(50), "blocked", True),
    }


def test_every_column_has_its_sentence(built: Any) -> None:
    comments = {
        field.name: field.metadata["comment"] for field in built.lake.read("features_payments").schema
    }
    last = "in the last change in cards, of the card before as_of, unless it is older than 30d or op = 'D'"
    assert comments["card_cap"] == f"cap {last}; null where there are none"
    assert comments["card_status"] == f"status {last}, kept as context; null where there are none"
    assert comments["amount_in_usd"].startswith(
        "amount of the payments row itself, in USD at the rate of card_id in fx"
    )
    assert all(comments.values())


def test_lineage_leads_from_columns_to_features_and_on_to_models(built: Any) -> None:
    lake = built.lake
    (view,) = built.context(BuildFeatures).definitions.views.values()
    table = lake.read("lineage")
    assert {row["feature"] for row in table.collect()} == set(view.features)
    assert {row["definition_hash"] for row in table.collect()} == {definition_hash(view)}
    blocked = {
        (row["log"], row["column"], row["use"])
        for row in table.where("feature = 'is_blocked' AND model IS NULL").collect()
    }
    assert blocked >= {("cards", "status", "value"), ("cards", "op", "condition"), ("cards", "lsn", "order")}
    through = table.where("feature = 'card_amount_sum_9d' AND log = 'payments' AND via = 'disputed'")
    assert {row["column"] for row in through.collect()} == {"payment_id", "card_id", "amount", "known_at"}
    for _ in range(2):
        write_model_lineage(lake, view, "c.s.fraud", 3)
    own = table.where("model IS NULL")
    of_model = lake.read("lineage").where("model = 'c.s.fraud' AND model_version = 3")
    assert of_model.drop("model", "model_version").exceptAll(own.drop("model", "model_version")).isEmpty()
    assert of_model.count() == own.count() > 0
    assert all(field.metadata["comment"] for field in lake.read("lineage").schema)


def test_a_second_build_writes_no_lineage_again_and_every_build_counts_amounts_without_a_rate(
    built: Any, caplog: pytest.LogCaptureFixture
) -> None:
    before = built.lake.version("lineage")
    built.work(BuildFeatures)
    assert built.lake.version("lineage") == before
    told = "features_payments: no rate was known for amount_in_usd in 2 rows; it is null there"
    assert told in caplog.messages


def test_a_plan_names_every_log_that_is_read_and_no_column_as_gone(
    built: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--config", built.config]) == 0
    said = capsys.readouterr().out
    for log in ("payments", "disputes", "cards", "fx"):
        assert f"reads: events_{log} (version " in said
    assert "columns: all 10 as they are" in said
    assert "missing: nothing" in said


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("card_disputes_9d", "value from the evidence: 2\n\ncounts: 2 of disputed\n"),
        (
            "card_cap",
            CARD_CAP,
        ),
        ("card_cards_age_hours", "stored value: 72.0\nvalue from the evidence: 72.0\n\ncounts: 1 of cards\n"),
        ("is_blocked", "card_status: blocked\nstored value: true\n"),
        ("amount_in_usd", "amount: 5.00\ncard_id: EUR\nhas_amount_in_usd_rate: true\nstored value: 5.5000\n"),
    ],
)
def test_values_are_explained_by_what_they_read(
    built: Any, capsys: pytest.CaptureFixture[str], feature: str, expected: str
) -> None:
    assert main(["explain", "--config", built.config, "--row", "p5", "--feature", feature]) == 0
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("d.event_at, ", "", "disputed gives no event_at; it gives dispute_id, card_id, amount, known_at"),
        ("p.amount, ", "p.prize, ", "disputed cannot be understood: [UNRESOLVED_COLUMN"),
        (
            'columns=["cap"], context=["status"]',
            'columns=["status"], context=["cap"]',
            "view payments: card_status is string; models read numbers and truths",
        ),
    ],
    ids=["time", "query", "text"],
)
def test_columns_that_do_not_fit_are_told_before_anything_is_written(
    redefined: Any, old: str, new: str, told: str
) -> None:
    assert old in DEFINITIONS
    redefined.write("definitions.py", DEFINITIONS.replace(old, new))
    before = redefined.versions()
    with pytest.raises(SchemaError) as caught:
        redefined.work(BuildFeatures, "--from", "2026-03-01", "--to", "2026-03-20")
    assert told in str(caught.value)
    assert redefined.versions() == before


def test_look_ups_rates_and_queries_are_proved_and_a_change_seen_too_soon_is_found(project: Any) -> None:
    filled(project).work(BuildFeatures)
    assert "no leak" in project.work(ProveFeatures).result
    rows = project.lake.read("events_cards").collect()
    later = [row.asDict() | {"known_at": at(9)} for row in rows]
    schema = project.lake.read("events_cards").schema
    changed = project.spark.createDataFrame(
        [tuple(row[name] for name in schema.names) for row in later], schema
    )
    project.lake.replace("events_cards", changed, where="event_at IS NOT NULL")
    with pytest.raises(RefusedError, match=r"truncation: card_cap of row p.*Source event: cards \d"):
        project.work(ProveFeatures)


def test_a_column_that_a_query_does_not_give_is_told_by_name(redefined: Any) -> None:
    redefined.write("definitions.py", DEFINITIONS.replace('total("amount")', 'total("prize")'))
    with pytest.raises(
        SchemaError, match=r"`prize` cannot be resolved.*; correct the expression in the definitions"
    ):
        run_job(BuildFeatures, ["--config", redefined.config])


def test_a_query_that_knows_too_early_is_refused_before_a_feature_is_written(redefined: Any) -> None:
    early = DEFINITIONS.replace("greatest(p.known_at, d.known_at)", "p.known_at")
    redefined.write("definitions.py", early)
    before = redefined.versions()
    with pytest.raises(RefusedError, match="disputed gives only with what became known later a row"):
        redefined.work(BuildFeatures)
    assert redefined.versions() == before
