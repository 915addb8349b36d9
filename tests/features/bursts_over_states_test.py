"""A burst over a lifetime that goes on while a state is taken: what was held then still raises what comes after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from features.declare import LIFETIME, Entity, FeatureGroup, FeatureView, Spine, burst, hours
from features.source import Source
from features.view import build_view, hot_keys, view_states, with_rereads

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = Entity("card", key="card_id")
VIEW = FeatureView(
    name="highest",
    spine=Spine(source="payments", row="probe_id"),
    groups=[
        FeatureGroup(
            entity=CARD,
            source="payments",
            windows=[LIFETIME],
            measures=[burst("burst", span=hours(2))],
        )
    ],
)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


@pytest.mark.parametrize("rows_per_task", [None, 8], ids=["whole", "hot"])
@pytest.mark.parametrize("revision", [None, "retraction"])
def test_a_burst_goes_on_across_a_state(
    spark: SparkSession, rows_per_task: int | None, revision: str | None
) -> None:
    """A payment every ten minutes for three hours, so twelve at once; the state is taken after 100 minutes.

    A card that was quiet by then has its burst in the state, of rows of which one was taken back before.
    """
    events: list[tuple[object, ...]] = [
        (f"a{minute}", "a", at(minute), at(minute), None) for minute in range(0, 180, 10)
    ]
    events += [(f"b{number}", "b", at(-500 + number), at(-500 + number), None) for number in range(5)]
    if revision is not None:
        events.append(("a50", "a", at(50), at(95), revision))
        events.append(("b2", "b", at(-498), at(-400), revision))
    rows = spark.createDataFrame(
        events, "id string, card_id string, event_at timestamp, known_at timestamp, revision string"
    )
    payments = Source(rows if revision else rows.drop("revision"), ("id",))
    probes = [(f"{card}{minute}", card, at(minute)) for card in "abc" for minute in (105, 135, 500)]
    spine = spark.createDataFrame(probes, "probe_id string, card_id string, as_of timestamp")
    states = view_states(VIEW, {"payments": payments}, int(at(100).timestamp()) * 1_000_000)
    states = with_rereads(VIEW, {"payments": payments}, states)
    seen = states["card"].rows.where("value_of = 'greatest bursts'").count()
    assert seen == 2
    hot = (
        hot_keys(VIEW, spine, {"payments": payments}, rows_per_task=rows_per_task, states=states)
        if rows_per_task
        else {}
    )
    assert bool(hot) == bool(rows_per_task)
    built = build_view(VIEW, spine, {"payments": payments}, tasks=2, hot=hot, states=states)
    found = {row["probe_id"]: row["card_burst_lifetime"] for row in built.collect()}
    # The payment that was taken back is missing from the two hours until 170 minutes after noon.
    one_less = 1 if revision else 0
    assert found == {
        "a105": 11 - one_less,
        "a135": 12 - one_less,
        "a500": 12,
        "b105": 5,
        "b135": 5,
        "b500": 5,
        "c105": 0,
        "c135": 0,
        "c500": 0,
    }
