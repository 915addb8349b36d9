"""Feature tables: a row in, a row out, the future changes nothing, and definitions are never mixed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from features.definition_hash import definition_hash
from jobs import shares
from jobs.build_features import BuildFeatures
from jobs.job import run_job
from lake.errors import RefusedError, SchemaError, TrustlakeError
from lake.runs import RUNS

FIRST_TWO = ("--from", "2026-03-01", "--to", "2026-03-03")
TABLE = "features_payments"

pytestmark = pytest.mark.minutes


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def payment(name: str, card: str | None, cents: int, moment: datetime) -> dict[str, object]:
    return {
        "event_at": moment, "known_at": moment, "payment_id": name, "card_id": card, "amount": Decimal(cents) / 100
    }  # fmt: skip


EVENTS = [
    payment("p1", "c1", 100, at(1, 10)),
    payment("p2", "c1", 250, at(1, 12)),
    payment("p3", "c2", 700, at(2, 9)),
    payment("p4", None, 900, at(2, 10)),
    payment("p5", "c1", 300, at(2, 11)),
    payment("p6", "c1", 800, at(4, 11)),
]


def built(project: Any) -> dict[str, tuple[object, ...]]:
    rows = project.lake.read(TABLE).collect()
    assert len({row["payment_id"] for row in rows}) == len(rows)
    names = ("amount", "card_payments_1d", "card_amount_sum_1d", "card_amount_max_1d")
    return {row["payment_id"]: tuple(row[name] for name in names) for row in rows}


def money(cents: int) -> Decimal:
    return Decimal(cents) / 100


EXPECTED = {
    "p1": (money(100), 0, money(0), None),
    "p2": (money(250), 1, money(100), money(100)),
    "p3": (money(700), 0, money(0), None),
    "p4": (money(900), None, None, None),
    "p5": (money(300), 1, money(250), money(250)),
    "p6": (money(800), 0, money(0), None),
}


def test_a_row_in_gives_a_row_out_and_the_future_changes_nothing(project: Any) -> None:
    project.add_events("payments", EVENTS[:5])
    outcome = project.work(BuildFeatures)
    assert (outcome.rows_in, outcome.rows_out, outcome.place) == (5, 5, "features_payments (6 features)")
    assert built(project) == {name: EXPECTED[name] for name in ("p1", "p2", "p3", "p4", "p5")}
    fields = {field.name: field.metadata["comment"] for field in project.lake.read(TABLE).schema}
    assert (
        fields["card_payments_1d"]
        == "Number of payments, of the card in the 1d before as_of; 0 where there are none"
    )
    assert fields["card_id"] == "Key of the card"

    project.add_events("payments", [EVENTS[5], payment("p7", "c1", 999, at(2, 11))])
    again = project.work(BuildFeatures, *FIRST_TWO)
    assert again.rows_out == 6
    twin = EXPECTED | {"p7": (money(999), 1, money(250), money(250))}
    assert built(project) == {name: cells for name, cells in twin.items() if name != "p6"}
    later = project.work(BuildFeatures, "--from", "2026-03-04", "--to", "2026-03-05")
    assert later.rows_out == 1
    assert built(project) == twin

    empty = project.work(BuildFeatures, "--from", "2026-04-01", "--to", "2026-04-02")
    assert (empty.rows_in, empty.rows_out) == (0, 0)
    assert built(project) == twin


def test_a_changed_definition_is_refused_on_a_part_and_rebuilt_on_the_whole(project: Any) -> None:
    project.add_events("payments", EVENTS)
    project.work(BuildFeatures)
    before = project.versions()
    project.definitions('count("payments"), ', "")
    with pytest.raises(RefusedError) as caught:
        project.work(BuildFeatures, *FIRST_TWO)
    assert "features_payments holds rows of another definition of payments outside this range" in str(
        caught.value
    )
    assert "build the whole range again (leave out --from and --to)" in str(caught.value)
    assert project.versions() == before
    assert project.work(BuildFeatures).rows_out == 6
    table = project.lake.read(TABLE)
    assert "card_payments_1d" not in table.columns
    (view,) = project.context(BuildFeatures).definitions.views.values()
    assert [row[0] for row in table.select("definition_hash").distinct().collect()] == [definition_hash(view)]


def test_an_empty_table_of_another_definition_is_no_hindrance(project: Any) -> None:
    project.add_events("payments", EVENTS)
    project.work(BuildFeatures, "--from", "2026-04-01", "--to", "2026-04-02")
    project.definitions('count("payments"), ', "")
    assert project.work(BuildFeatures, *FIRST_TWO).rows_out == 5


def test_a_row_id_that_repeats_is_told_before_anything_is_written(shared_project: Any) -> None:
    shared_project.add_events("payments", [EVENTS[0], EVENTS[0], EVENTS[1]])
    with pytest.raises(TrustlakeError) as caught:
        shared_project.work(BuildFeatures)
    assert (
        "payments gives view payments 3 rows but 2 different payment_id; name a row id that is unique"
        in str(caught.value)
    )
    assert TABLE not in shared_project.versions()


def test_absent_events_are_told(project: Any) -> None:
    with pytest.raises(TrustlakeError, match="events_payments does not exist; run ingest_logs first"):
        project.work(BuildFeatures)
    project.add_events("payments", [])
    with pytest.raises(
        TrustlakeError, match="payments has no events; run ingest_logs on days that have some"
    ):
        project.work(BuildFeatures)


def test_a_sum_of_what_is_no_exact_number_is_told_before_anything_is_written(project: Any) -> None:
    project.add_events("payments", EVENTS)
    project.definitions('total("amount")', 'total("cast(amount as double)", name="amount_sum")')
    with pytest.raises(
        SchemaError, match=r"sum of .* in payments is double; a double gives other sums in another order"
    ):
        project.work(BuildFeatures)
    assert TABLE not in project.versions()


@pytest.mark.parametrize(
    ("old", "new", "expression"),
    [
        (
            'row="payment_id"',
            'row="payment_id", where="1 / (amount - amount) > 0"',
            "1 / (amount - amount) > 0",
        ),
        (
            'largest("amount")',
            'largest("amount % (amount - amount)", name="odd")',
            "amount % (amount - amount)",
        ),
    ],
    ids=["read", "write"],
)
def test_an_expression_without_a_result_on_the_data_is_one_line(
    project: Any, old: str, new: str, expression: str
) -> None:
    project.add_events("payments", EVENTS)
    project.definitions(old, new)
    with pytest.raises(SchemaError) as caught:
        run_job(BuildFeatures, ["--config", project.config])
    told = str(caught.value)
    assert "by zero" in told.lower()
    assert told.endswith(f" in `{expression}`; correct the expression in the definitions or the overlay")
    assert "\n" not in told
    assert [row["error"] for row in project.lake.read(RUNS.name).collect()] == [told]


def test_revisions_of_rows_that_have_not_come_are_counted(
    project: Any, caplog: pytest.LogCaptureFixture
) -> None:
    project.revise_disputes()
    project.definitions(
        'source="payments", windows=[days(1)], measures=[count("payments"), total("amount"), largest("amount")]',
        'source="disputes", source_key="payment_id", windows=[days(1)], measures=[count("disputes")]',
    )
    project.add_events("payments", EVENTS)
    told = [("d1", None), ("d1", "retraction"), ("d2", "correction"), ("d3", "retraction")]
    rows = [{"dispute_id": name, "payment_id": "c1", "revision": revision} for name, revision in told]
    project.add_events("disputes", [row | {"event_at": at(1, 11), "known_at": at(1, 11)} for row in rows])
    with caplog.at_level("WARNING"):
        project.work(BuildFeatures, *FIRST_TWO)
    waiting = (
        "features_payments: 2 revisions of disputes mean rows that have not come; each waits for its row"
    )
    assert waiting in caplog.messages
    assert {row["card_disputes_1d"] for row in project.lake.read(TABLE).collect()} == {0, None}


def test_a_hot_key_changes_nothing_but_is_told(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [payment(f"m{n}", "c3", n, at(1 + n // 24, n % 24)) for n in range(60)]
    project.add_events("payments", [*EVENTS, *many])
    project.work(BuildFeatures)
    whole = built(project)
    monkeypatch.setattr(shares, "TASK_BYTES", 8000)
    project.work(BuildFeatures)
    assert built(project) == whole
    (found,) = project.lake.read("hot_keys").collect()
    assert (found["view"], found["entity"], found["key"], found["rows"]) == ("payments", "card", "c3", 120)
    assert found["share"] == pytest.approx(120 / 132)
    assert 20 <= found["sections"] <= 28


def test_a_late_row_of_a_hot_key_without_rows_in_the_range_sees_the_whole_key(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "TASK_BYTES", 8000)
    many = [payment(f"m{n}", "c3", n, at(1 + n // 24, n % 24)) for n in range(60)]
    project.add_events("payments", [*EVENTS[:5], *many])
    project.work(BuildFeatures, "--from", "2026-03-01", "--to", "2026-03-05")
    late = payment("late", "c3", 5, at(3, 13)) | {"known_at": at(5, 1)}
    project.add_events("payments", [late, payment("p8", "c1", 1, at(5, 2))])
    project.work(BuildFeatures, "--from", "2026-03-05", "--to", "2026-03-06")
    day_before = range(37, 60)
    assert built(project)["late"] == (money(5), len(day_before), money(sum(day_before)), money(59))
