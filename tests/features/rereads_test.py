"""Which keys a state does not stand for: those revised since, and those whose revisions their time does not tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from features.declare import LIFETIME, Entity, FeatureGroup, FeatureView, Spine, count, days, distinct
from features.source import Source
from features.view import build_view, view_states, with_rereads
from features.windows import rereads
from features.windows.state import State

DAY_1, DAY_5, DAY_9 = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 5, 9))
HOUR = timedelta(hours=1)
CARD = Entity("card", key="card_id")
VIEW = FeatureView(
    name="revised",
    spine=Spine(source="payments", row="id"),
    groups=[
        FeatureGroup(
            entity=CARD,
            source="payments",
            windows=[days(1), LIFETIME],
            measures=[count("n"), distinct("device")],
        )
    ],
)
ROWS = [
    # card, instant, known at, revision; all rows of a card are one
    ("plain", DAY_1, DAY_1, None),
    ("corrected before", DAY_1, DAY_1, None),
    ("corrected before", DAY_1, DAY_1 + HOUR, "correction"),
    ("taken back before", DAY_1, DAY_1, None),
    ("taken back before", DAY_1, DAY_1 + HOUR, "retraction"),
    ("corrected since", DAY_1, DAY_1, None),
    ("corrected since", DAY_1, DAY_5 + HOUR, "correction"),
    ("another time", DAY_1, DAY_1, None),
    ("another time", DAY_1 + HOUR, DAY_1 + 2 * HOUR, "correction"),
    ("waits", DAY_1, DAY_1, "retraction"),
    ("of the future", DAY_5 + HOUR, DAY_1, None),
    ("of the future", DAY_5 + HOUR, DAY_1 + HOUR, "correction"),
    ("of the future, plain", DAY_5 + HOUR, DAY_1, None),
    ("late", DAY_1, DAY_5 + HOUR, None),
]


def sources(spark: SparkSession, rows: Sequence[tuple[object, ...]]) -> dict[str, Source]:
    schema = (
        "card_id string, event_at timestamp, known_at timestamp, revision string, id string, device string"
    )
    full = [(*row, f"row of {row[0]}", "x") for row in rows]
    return {"payments": Source(spark.createDataFrame(full, schema), ("id",))}


def micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) - 1


def reread(state: State) -> set[str | int]:
    (keys,) = state.rereads.values()
    assert keys is not None
    return set(keys)


def test_keys_revised_since_and_revisions_apart_from_their_rows_are_read_whole(spark: SparkSession) -> None:
    all_rows = sources(spark, ROWS)
    first = view_states(VIEW, all_rows, micros(DAY_5))
    told = with_rereads(VIEW, all_rows, first)
    assert reread(told["card"]) == {"corrected since", "another time", "waits", "of the future"}
    second = with_rereads(VIEW, all_rows, view_states(VIEW, all_rows, micros(DAY_9), first))
    assert reread(second["card"]) == {"another time", "waits"}


@pytest.mark.parametrize("most", [10_000, 1])
def test_features_are_those_of_all_rows(
    spark: SparkSession, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rereads, "_MOST_KEYS", most)
    all_rows = sources(spark, ROWS)
    cards = sorted({str(row[0]) for row in ROWS})
    probes = [(card, card, DAY_9 + HOUR) for card in cards]
    spine = spark.createDataFrame(probes, "id string, card_id string, as_of timestamp")
    states = view_states(VIEW, all_rows, micros(DAY_9), view_states(VIEW, all_rows, micros(DAY_5)))
    told = with_rereads(VIEW, all_rows, states)
    assert (told["card"].rereads == {1: None}) == (most == 1)
    built, whole = build_view(VIEW, spine, all_rows, states=told), build_view(VIEW, spine, all_rows)
    assert sorted(built.collect(), key=str) == sorted(whole.collect(), key=str)
    counts = {row["card_id"]: row["card_n_lifetime"] for row in built.collect()}
    assert counts == {card: int(card not in {"taken back before", "waits"}) for card in cards}


def test_a_state_that_was_not_told_stands_for_no_revised_row(spark: SparkSession) -> None:
    all_rows = sources(spark, ROWS)
    spine = spark.createDataFrame(
        [("1", "corrected since", DAY_9)], "id string, card_id string, as_of timestamp"
    )
    states = view_states(VIEW, all_rows, micros(DAY_5))
    assert (
        build_view(VIEW, spine, all_rows, states=states).collect()
        == build_view(VIEW, spine, all_rows).collect()
    )
