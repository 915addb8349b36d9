"""Evidence: every row of the key has a verdict that can be told by hand, and what counts gives the engine's value."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import get_args

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Kind,
    Link,
    Measure,
    Spine,
    approx_distinct,
    burst,
    count,
    decayed,
    distinct,
    earliest,
    entropy,
    expression,
    hours,
    hours_since_first,
    hours_since_last,
    is_new,
    largest,
    latest,
    mean,
    minutes,
    share,
    smallest,
    std,
    total,
)
from features.explain import VERDICTS, evidence, windowed
from features.recompute import Counted, value_of
from features.source import Source
from features.view import build_view
from lake.errors import SchemaError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = Entity("card", key="card_id")
SCHEMA = (
    "id string, card_id string, event_at timestamp, known_at timestamp, revision string, amount decimal(18,2), "
    "is_declined boolean, device string"
)
PROBE = "probe_id string, card_id string, as_of timestamp"
ROUNDED = {"std", "entropy", "decayed"}

Event = tuple[str, str | None, datetime, datetime, str | None, Decimal | None, bool | None, str | None]


def view_of(*measures: Measure, entity: Entity = CARD, source: str | Link = "payments") -> FeatureView:
    group = FeatureGroup(entity=entity, source=source, windows=[hours(1), LIFETIME], measures=measures)
    spine = Spine(source="payments", row="probe_id")
    return FeatureView(name="v", spine=spine, groups=[group], derived=[expression("one", "1")])


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def paid(
    name: str,
    happened: float,
    known: float | None = None,
    revision: str | None = None,
    cents: int | None = 100,
) -> Event:
    """A declined payment of card c; times in minutes from noon."""
    amount = None if cents is None else Decimal(cents) / 100
    return name, "c", at(happened), at(happened if known is None else known), revision, amount, True, "d"


def found(spark: SparkSession, view: FeatureView, feature: str, events: list[Event]) -> list[Row]:
    """The evidence at noon, in order of row and arrival."""
    spine = spark.createDataFrame([("p", "c", NOON)], PROBE)
    source = Source(spark.createDataFrame(events, SCHEMA), ("id",))
    return evidence(view, feature, spine, {"payments": source}).orderBy("source_row", "known_at").collect()


CASES: list[tuple[list[Event], list[str]]] = [
    ([paid("a fine one", -30)], ["counts"]),
    ([paid("just inside", -60)], ["counts"]),
    ([paid("ahead of its time", 1, -5)], ["in the future"]),
    ([paid("a twin", 0, -1)], ["same instant"]),
    ([paid("a row of yesterday", -61)], ["too old"]),
    ([paid("old, and late too", -61, 5)], ["too old"]),
    ([paid("known at noon", -10, 0)], ["too late"]),
    ([paid("taken back", -20), paid("taken back", -20, -10, "retraction", None)], ["retracted"]),
    ([paid("taken back at noon", -20), paid("taken back at noon", -20, 0, "retraction", None)], ["counts"]),
    ([paid("put right", -20), paid("put right", -20, -10, "correction", 700)], ["corrected", "counts"]),
    (
        [paid("put right, then taken back", -20),
         paid("put right, then taken back", -20, -10, "correction", 700),
         paid("put right, then taken back", -20, -5, "retraction", None)],
        ["corrected", "retracted"],
    ),
    (
        [paid("put right at noon", -20), paid("put right at noon", -20, 0, "correction", 700)],
        ["counts", "too late"],
    ),
    (
        [paid("put right too soon", -20, 5), paid("put right too soon", -20, -15, "correction")],
        ["waits for its row", "too late"],
    ),
    ([paid("of a row that never came", -20, -15, "correction")], ["waits for its row"]),
    ([paid("without a value", -20, cents=None)], ["not measured"]),
    ([(*paid("accepted", -20)[:6], False, "d")], ["not measured"]),
    ([(*paid("neither", -20)[:6], None, "d")], ["not measured"]),
    ([("of another card", "x", *paid("", -20)[2:])], []),
    ([("of no card", None, *paid("", -20)[2:])], []),
]  # fmt: skip


def test_each_row_has_the_verdict_that_the_rule_gives(spark: SparkSession) -> None:
    view = view_of(total("amount", where="is_declined"))
    rows = found(spark, view, "card_amount_sum_1h", [event for events, _ in CASES for event in events])
    told = defaultdict(list)
    for row in rows:
        told[row["source_row"]].append(row["verdict"])
    assert told == {events[0][0]: verdicts for events, verdicts in CASES if verdicts}
    counting = [row for row in rows if row["verdict"] == "counts"]
    assert [row["contribution"] for row in counting] == [1, 1, 7, 1, 1]
    assert [row["value"] for row in counting] == ["1.00", "1.00", "7.00", "1.00", "1.00"]
    assert {row["contribution"] for row in rows if row not in counting} == {None}


def test_a_burst_counts_what_stood_at_its_peak_whatever_became_of_it(spark: SparkSession) -> None:
    events = [
        paid("a", -50), paid("b", -49), paid("c", -48), paid("c", -48, -40, "retraction", None),
        paid("known too late to stand", -49, -30), paid("alone", -10), paid("before the window", -90),
        paid("never counted", -48, 5),
    ]  # fmt: skip
    rows = found(spark, view_of(burst("burst", span=minutes(5))), "card_burst_1h", events)
    assert {row["source_row"]: row["verdict"] for row in rows} == {
        "a": "counts", "b": "counts", "c": "counts",
        "known too late to stand": "not at the peak", "alone": "not at the peak",
        "before the window": "too old", "never counted": "too late",
    }  # fmt: skip
    assert sum(row["contribution"] or 0 for row in rows) == 3


def test_rows_of_a_source_that_is_not_revised_stand_for_themselves(spark: SparkSession) -> None:
    pair = Entity("pair", key=("card_id", "device"))
    view = view_of(count("n"), entity=pair)
    events = spark.createDataFrame([paid("same id", -20), paid("same id", -10), paid("late", -5, 5)], SCHEMA)
    probes = [("p", "c", "d", NOON), ("q", "c", "d", at(-15)), ("r", "c", None, NOON), ("s", "c", "e", NOON)]
    spine = spark.createDataFrame(probes, "probe_id string, card_id string, device string, as_of timestamp")
    source = Source(events.drop("revision"), ("id",))
    rows = evidence(view, "pair_n_1h", spine, {"payments": source}).orderBy("row_id", "event_at").collect()
    assert [(row["row_id"], row["verdict"]) for row in rows] == [
        *[("p", "counts"), ("p", "counts"), ("p", "too late")],
        *[("q", "counts"), ("q", "in the future"), ("q", "in the future")],
    ]


def test_linked_events_are_evidence_from_the_moment_of_the_link(spark: SparkSession) -> None:
    link = Link(source="disputes", on="account_id", through="logins")
    view = view_of(count("n"), entity=Entity("device", key="device"), source=link)
    logins = spark.createDataFrame(
        [("l", "c", "d", at(-30), at(-30))],
        "login_id string, account_id string, device string, event_at timestamp, known_at timestamp",
    )
    disputes = spark.createDataFrame(
        [("old", "c", at(-90), at(-90)), ("other", "x", at(-90), at(-90))],
        "dispute_id string, account_id string, event_at timestamp, known_at timestamp",
    )
    sources = {"logins": Source(logins, ("login_id",)), "disputes": Source(disputes, ("dispute_id",))}
    spine = spark.createDataFrame([("p", "d", NOON)], "probe_id string, device string, as_of timestamp")
    (row,) = evidence(view, "device_n_1h", spine, sources).collect()
    assert (row["event_at"].replace(tzinfo=UTC), row["verdict"]) == (at(-30), "counts")


@pytest.mark.parametrize("feature", ["one", "has_card", "card_n_2h"])
def test_only_windowed_features_have_evidence(spark: SparkSession, feature: str) -> None:
    with pytest.raises(SchemaError, match=f"{feature} is no windowed feature of view v"):
        found(spark, view_of(count("n")), feature, [])


MEASURES = [
    count("n"),
    count("declined", where="is_declined"),
    total("amount"),
    total("is_declined", name="declined_total"),
    mean("amount"),
    std("amount"),
    share("declined_share", of="is_declined"),
    smallest("amount"),
    largest("amount", where="is_declined"),
    earliest("amount"),
    latest("amount", where="is_declined"),
    distinct("device"),
    approx_distinct("device"),
    entropy("device"),
    hours_since_last("hours_since_last", where="is_declined"),
    hours_since_first("hours_since_first"),
    is_new("is_new"),
    decayed("weight", half_life=minutes(30)),
    decayed("amount_weight", of="amount", half_life=minutes(4)),
    burst("burst", span=minutes(40)),
]
LONG = [
    count("n"),
    total("amount"),
    latest("amount"),
    decayed("weight", half_life=minutes(2)),
    burst("burst", span=minutes(9)),
]
EVERY = FeatureView(
    name="every",
    spine=Spine(source="payments", row="probe_id"),
    groups=[
        FeatureGroup(entity=CARD, source="payments", windows=[hours(1)], measures=MEASURES),
        FeatureGroup(
            entity=CARD, source="payments", windows=[LIFETIME], measures=LONG, where="device IS NOT NULL"
        ),
    ],
)


def random_events(dice: random.Random, size: int) -> list[Event]:
    """Whole minutes, so that ties are common; a third is taken back or put right, some of it before it came."""
    events: list[Event] = []
    for number in range(size):
        name, card, happened = f"e{number:03d}", dice.choice(["a", "b", None]), at(dice.randrange(300))
        came = happened + timedelta(minutes=dice.choice([0, 0, 0, -3, 7, 90]))
        amount, device = Decimal(dice.randrange(-500, 9999)) / 100, dice.choice(["x", "y", "z", None])
        rows: list[Event] = [
            (name, card, happened, came, None, dice.choice([amount, amount, None]),
             dice.choice([True, False, None]), device)
        ]  # fmt: skip
        told = came - timedelta(minutes=5)
        while dice.random() < 0.3:
            told += timedelta(minutes=dice.randrange(1, 120))
            moved = happened + timedelta(minutes=dice.choice([0, 0, 5]))
            revision: Event = (name, card, moved, told, "correction", amount + len(rows), True, device)
            taken: Event = (name, card, happened, told, "retraction", None, None, None)
            rows.append(dice.choice([revision, taken]))
        events += rows if dice.random() < 0.9 else rows[1:]
    dice.shuffle(events)
    return events


def evidence_of_all(spine: DataFrame, sources: dict[str, Source]) -> dict[tuple[str, str], list[Row]]:
    """The evidence of every feature of every probe, in one run of Spark."""
    exact = F.col("contribution").cast("string")
    frames = [
        evidence(EVERY, name, spine, sources).withColumns({"feature": F.lit(name), "contribution": exact})
        for name in windowed(EVERY)
    ]
    told = defaultdict(list)
    for row in reduce(DataFrame.unionByName, frames).collect():
        assert row["verdict"] in VERDICTS
        told[row["row_id"], row["feature"]].append(row)
    return told


def counted_of(row: Row) -> Counted:
    contribution = None if row["contribution"] is None else Decimal(row["contribution"])
    return Counted(row["source_row"], row["event_at"].replace(tzinfo=UTC), row["value"], contribution)


def test_the_rows_that_count_give_the_value_of_every_kind_of_measure(spark: SparkSession) -> None:
    dice = random.Random(5)
    assert {asked.measure.kind for asked in windowed(EVERY).values()} == set(get_args(Kind))
    probes: list[tuple[str, str | None, datetime]] = [("no card", None, NOON), ("before all", "a", at(-1))]
    probes += [(f"p{n}", dice.choice(["a", "b"]), at(dice.randrange(400))) for n in range(12)]
    # One partition: no branch of the union below has to shuffle.
    spine = spark.createDataFrame(probes, PROBE).coalesce(1)
    rows = spark.createDataFrame(random_events(dice, 160), SCHEMA).coalesce(1)
    sources = {"payments": Source(rows, ("id",))}
    built = {row["probe_id"]: row for row in build_view(EVERY, spine, sources).collect()}
    told = evidence_of_all(spine, sources)
    assert not [key for key in told if key[0] == "no card"]
    wrong = []
    for probe, card, as_of in probes:
        for name, asked in windowed(EVERY).items():
            counted = [counted_of(row) for row in told[probe, name] if row["verdict"] == "counts"]
            value = None if card is None else value_of(asked.measure, counted, as_of)
            expected = built[probe][name]
            if asked.measure.kind in ROUNDED and expected is not None:
                expected = pytest.approx(expected, rel=1e-6, abs=1e-6)
            if value != expected:
                wrong.append((probe, name, value, expected))
    assert wrong == []
