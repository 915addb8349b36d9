"""A calendar has every step of a key from when it was first known, against plain Python, in any range."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pyspark.sql import SparkSession

from features.declare import Calendar, Entity, FeatureGroup, FeatureView, Spine, Window, count, days, hours
from features.lineage import lineage
from features.source import Source
from features.view import build_view, spine_rows

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAYER = Entity("payer", key="payer_id")
SCHEMA = "event_id long, account_id string, event_at timestamp, known_at timestamp"
Event = tuple[int, str | None, datetime, datetime]
Rows = set[tuple[str, str, datetime]]


def view_of(every: Window, entity: Entity = PAYER) -> FeatureView:
    keys = "account_id" if len(entity.keys) == 1 else ("account_id", "event_id")
    calendar = Calendar(entity=entity, every=every, source_key=keys)
    group = FeatureGroup(
        entity=entity, source="accounts", source_key=keys, windows=[days(1)], measures=[count("n")]
    )
    return FeatureView(
        name="payers", spine=Spine(source="accounts", row="payer_day", as_of=calendar), groups=[group]
    )


def random_events(dice: random.Random, size: int) -> list[Event]:
    events = []
    for number in range(size):
        at = MIDNIGHT + timedelta(hours=dice.randrange(200))
        account = dice.choice(["a", "b", "c", "d", None])
        events.append((number, account, at, at + timedelta(hours=dice.choice([0, 0, -1, 60]))))
    return events


def expected(events: Sequence[Event], step: timedelta, begin: datetime, end: datetime) -> Rows:
    """The rule, word for word, one step after the other."""
    firsts: dict[str, datetime] = {}
    for _, account, at, known in events:
        if account is not None:
            firsts[account] = min(firsts.get(account, datetime.max.replace(tzinfo=UTC)), max(at, known))
    found = set()
    for account, first in firsts.items():
        at = EPOCH + (begin - EPOCH) // step * step
        while at < end:
            if at >= begin and at > first:
                found.add((account, f"{account} {at:%Y-%m-%dT%H:%M:%S.%f}", at))
            at += step
    return found


def found(
    spark: SparkSession, view: FeatureView, events: Sequence[Event], span: tuple[datetime, datetime] | None
) -> Rows:
    rows = spine_rows(view, spark.createDataFrame(events, SCHEMA), span).collect()
    made = {(row["payer_id"], row["payer_day"], row["as_of"].replace(tzinfo=UTC)) for row in rows}
    assert len(made) == len(rows)
    return made


@pytest.mark.parametrize(("every", "step"), [(days(1), timedelta(days=1)), (hours(7), timedelta(hours=7))])
def test_the_steps_equal_plain_python_and_ranges_join_without_gap(
    spark: SparkSession, every: Window, step: timedelta
) -> None:
    events, view = random_events(random.Random(1), 30), view_of(every)
    cuts = [
        MIDNIGHT,
        MIDNIGHT + timedelta(hours=31),
        MIDNIGHT + timedelta(days=5),
        MIDNIGHT + timedelta(days=20),
    ]
    parts = [found(spark, view, events, span) for span in pairwise(cuts)]
    assert parts == [expected(events, step, *span) for span in pairwise(cuts)]
    assert set().union(*parts) == found(spark, view, events, (cuts[0], cuts[-1]))
    latest = max(max(at, known) for _, _, at, known in events)
    assert found(spark, view, events, None) == expected(
        events, step, EPOCH, latest + step + timedelta(microseconds=1)
    )


def test_what_becomes_known_later_changes_no_step_before(spark: SparkSession) -> None:
    events, view = random_events(random.Random(2), 20), view_of(days(1))
    span = MIDNIGHT, MIDNIGHT + timedelta(days=6)
    later: list[Event] = [(100, name, MIDNIGHT, span[1]) for name in ("a", "b", "new")]
    assert found(spark, view, [*later, *events[::-1]], span) == found(spark, view, events, span)


def test_features_are_those_of_the_key_at_the_step(spark: SparkSession) -> None:
    hour = timedelta(hours=1)
    events = [(n, "a", at, at) for n, at in enumerate([MIDNIGHT, MIDNIGHT + 5 * hour, MIDNIGHT + 24 * hour])]
    view = view_of(days(1))
    sources: Mapping[str, Source] = {"accounts": Source(spark.createDataFrame(events, SCHEMA), ("event_id",))}
    built = build_view(view, spine_rows(view, sources["accounts"].rows), sources)
    rows = built.orderBy("as_of").collect()
    assert [row["payer_n_1d"] for row in rows] == [2, 1]
    assert built.columns[:3] == ["as_of", "payer_day", "payer_id"]
    reads = {
        (read.column, read.use) for read in lineage(view, sources, built) if read.feature == "payer_n_1d"
    }
    assert reads == {("account_id", "key"), ("event_at", "time"), ("known_at", "time")}


def test_a_pair_has_a_calendar_too(spark: SparkSession) -> None:
    view = view_of(days(1), Entity("pair", key=("payer_id", "event_id")))
    rows = spark.createDataFrame([(7, "a", MIDNIGHT, MIDNIGHT), (8, "a", MIDNIGHT, MIDNIGHT)], SCHEMA)
    made = spine_rows(view, rows, (MIDNIGHT, MIDNIGHT + timedelta(days=2))).collect()
    assert sorted(row["payer_day"] for row in made) == [
        "1:a1:7 2026-03-02T00:00:00.000000", "1:a1:8 2026-03-02T00:00:00.000000"
    ]  # fmt: skip
