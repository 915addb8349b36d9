"""Builds that have a state say where they cut queries: nothing that a cut would miss goes unseen."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from features.began import micros_of
from features.cuts import cuts
from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Link,
    Lookup,
    Spine,
    SqlSource,
    Window,
    burst,
    count,
    days,
    hours,
)
from features.derived_source import check_lookback
from features.source import Source
from features.view import build_view, view_states, with_rereads
from features.windows.state import State
from lake.errors import RefusedError
from tests.features.stored_states import stored

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROS_OF_HOUR = 3_600_000_000
PAYER, ACCOUNT = Entity("payer", key="payer_id"), Entity("account", key="payer_id")


def query_of(lookback: Window | None) -> SqlSource:
    return SqlSource(
        name="settled",
        sql="SELECT p.payment_id, p.payer_id, s.event_at, greatest(p.known_at, s.known_at) AS known_at "
        "FROM {payments} p JOIN {settlements} s USING (payment_id)",
        key=["payment_id"],
        lookback=lookback,
    )


def view_of(query: SqlSource) -> FeatureView:
    link = Link(source="payments", on="payment_id", through=query)
    lasting = [burst("burst", span=hours(5))]
    return FeatureView(
        name="v",
        spine=Spine(source="payments", row="payment_id"),
        groups=[
            FeatureGroup(entity=PAYER, source=query, windows=[days(1), LIFETIME], measures=[count("n")]),
            FeatureGroup(entity=PAYER, source=query, windows=[LIFETIME], measures=lasting),
            FeatureGroup(entity=ACCOUNT, source=link, windows=[LIFETIME], measures=[count("linked")]),
        ],
        lookups=[Lookup(entity=PAYER, source=query, context=["payment_id"])],
    )


def sources_of(spark: SparkSession, dice: random.Random, settled_after: list[int]) -> dict[str, Source]:
    payments, settlements = [], []
    for n in range(200):
        paid = NOON + timedelta(minutes=dice.randrange(6000))
        settled = paid + dice.choice(settled_after) * HOUR
        payments.append((f"p{n}", dice.choice("abc"), paid, paid))
        settlements.append((f"p{n}", settled, settled))
    schema = "payment_id string, payer_id string, event_at timestamp, known_at timestamp"
    return {
        "payments": Source(spark.createDataFrame(payments, schema), ("payment_id",)),
        "settlements": Source(
            spark.createDataFrame(settlements, schema.replace("payer_id string, ", "")), ("payment_id",)
        ),
    }


def test_a_query_is_cut_at_the_state_and_before_what_windows_and_bursts_still_hold(
    spark: SparkSession,
) -> None:
    sources = sources_of(spark, random.Random(1), [1])
    until = micros_of(NOON)
    assert cuts(view_of(query_of(hours(9))), sources, until) == {
        "settled": {until, until - 24 * MICROS_OF_HOUR, until - 5 * MICROS_OF_HOUR}
    }
    assert cuts(view_of(query_of(None)), sources, until) == {}


@pytest.mark.parametrize(
    ("lookback", "is_refused"), [(hours(9), True), (hours(19), True), (hours(20), False)]
)
def test_where_no_cut_is_refused_states_give_what_everything_gives(
    spark: SparkSession, lookback: Window, *, is_refused: bool
) -> None:
    view = view_of(query_of(lookback))
    sources = sources_of(spark, random.Random(7), [1, 20])
    instants = [micros_of(NOON + timedelta(minutes=minutes)) for minutes in (3000, 5000)]
    refused = [is_cut_refused(view, sources, until) for until in instants]
    asked = [(str(n), "abcd"[n % 4], NOON + timedelta(minutes=5001 + 40 * n)) for n in range(40)]
    probes = spark.createDataFrame(asked, "payment_id string, payer_id string, as_of timestamp")
    states: dict[str, State] = {}
    for until in instants:
        states = stored(view_states(view, sources, until, states))
    found = build_view(view, probes, sources, states=with_rereads(view, sources, states))
    differs = sorted(found.collect()) != sorted(build_view(view, probes, sources).collect())
    assert (any(refused), differs) == (is_refused, is_refused)


def is_cut_refused(view: FeatureView, sources: Mapping[str, Source], until: int) -> bool:
    (query,) = {query.name: query for query in view.queries}.values()
    try:
        for since in cuts(view, sources, until)[query.name]:
            check_lookback(query, sources, since)
    except RefusedError:
        return True
    return False
