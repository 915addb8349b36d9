"""Rows that arrive late, are corrected, taken back, or move to another key: means per listing, worked out by hand.

The histories are those on which feature platforms are commonly compared: average ratings under inserts and updates
that become known after the fact.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Measure,
    Spine,
    Window,
    days,
    distinct,
    mean,
    total,
)
from features.explain import evidence
from features.source import Source
from features.view import build_view, hot_keys
from lake.contracts import CORRECTION, RETRACTION

Row = tuple[str, int, str, str, str | None, int | None]
SCHEMA = "id string, listing int, event_at timestamp, known_at timestamp, revision string, rating int"


def instant(text: str) -> datetime:
    """``DDTHH:MM`` of April 2021."""
    return datetime.strptime(f"2021-04-{text}", "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)


def ratings(windows: Sequence[Window], *measures: Measure) -> FeatureView:
    """A view of measures of ratings by listing."""
    group = FeatureGroup(
        entity=Entity("listing", key="listing"), source="ratings", windows=windows, measures=measures
    )
    return FeatureView(name="ratings", spine=Spine(source="ratings", row="probe"), groups=[group])


def means(
    spark: SparkSession, window: Window, rows: Sequence[Row], probes: Sequence[tuple[int, str]]
) -> list[float | None]:
    view = ratings([window], mean("rating"))
    source = [
        (i, k, instant(at), instant(known), revision, rating) for i, k, at, known, revision, rating in rows
    ]
    spine = [(n, listing, instant(at)) for n, (listing, at) in enumerate(probes)]
    built = build_view(
        view,
        spark.createDataFrame(spine, "probe int, listing int, as_of timestamp"),
        {"ratings": Source(spark.createDataFrame(source, SCHEMA), ("id",))},
    )
    found: Mapping[int, float | None] = {
        int(row["probe"]): row[f"listing_rating_mean_{window.label}"] for row in built.collect()
    }
    return [found[n] for n in range(len(probes))]


BASE: list[Row] = [
    ("a1", 1, "04T00:30", "04T00:30", None, 4),
    ("a2", 1, "04T12:30", "04T12:30", None, 5),
    ("a3", 1, "05T00:30", "05T00:30", None, 4),
    ("a4", 1, "05T02:30", "05T02:30", None, 5),
    ("b1", 2, "04T01:40", "04T01:40", None, 3),
    ("b2", 2, "05T03:40", "05T03:40", None, 3),
]
ASKED = [(1, "10T01:00"), (1, "10T02:30"), (2, "10T23:00")]


def test_late_inserts(spark: SparkSession) -> None:
    late: list[Row] = [
        ("a5", 1, "10T02:00", "10T02:00", None, 2),
        ("b3", 2, "10T10:00", "10T02:10", None, 3),
    ]
    assert means(spark, LIFETIME, BASE + late, ASKED) == [4.5, 4.0, 3.0]


def test_a_value_that_is_corrected(spark: SparkSession) -> None:
    changes: list[Row] = [
        ("a3", 1, "05T00:30", "10T02:00", CORRECTION, 2),
        ("b3", 2, "10T10:00", "10T02:10", None, 3),
    ]
    assert means(spark, LIFETIME, BASE + changes, ASKED) == [4.5, 4.0, 3.0]


def test_windows_over_late_and_corrected_rows(spark: SparkSession) -> None:
    rows: list[Row] = [
        ("b1", 2, "04T01:40", "04T01:40", None, 3),
        ("b2", 2, "05T03:40", "05T03:40", None, 3),
        ("b3", 2, "06T03:45", "06T03:45", None, 4),
        ("b4", 2, "09T05:45", "09T05:45", None, 2),
        ("b4", 2, "09T05:45", "09T07:00", CORRECTION, 5),
        ("b5", 2, "10T10:00", "10T10:00", None, 4),
    ]
    asked = [(2, f"{at}:30") for at in ("09T01", "09T04", "09T06", "09T08")] + [
        (2, "10T09:00"),
        (2, "10T23:00"),
    ]
    assert means(spark, days(4), rows, asked) == [3.5, 4.0, 3.0, 4.5, 5.0, 4.5]


def test_a_row_that_moves_to_another_key_is_taken_back_there_and_new_here(spark: SparkSession) -> None:
    moved: list[Row] = [
        ("a3", 1, "05T00:30", "10T02:00", RETRACTION, None),
        ("a3", 2, "05T00:30", "10T02:00", None, 4),
    ]
    asked = [*ASKED, (2, "10T02:00"), (1, "10T02:00")]
    assert means(spark, LIFETIME, BASE + moved, asked) == [4.5, 14 / 3, 10 / 3, 3.0, 4.5]


def test_revisions_take_effect_when_both_they_and_their_row_are_known(spark: SparkSession) -> None:
    # Each row is known at 12:00; asked at 11:00, 13:00, 15:00 and 17:00.
    histories: list[tuple[list[tuple[str, str, int | None]], list[float | None]]] = [
        ([("10T09:00", RETRACTION, None)], [None, None, None, None]),
        ([("10T09:00", CORRECTION, 1)], [None, 1.0, 1.0, 1.0]),
        ([("10T09:00", CORRECTION, 1), ("10T14:00", CORRECTION, 2)], [None, 1.0, 2.0, 2.0]),
        ([("10T09:00", CORRECTION, 1), ("10T10:00", CORRECTION, 2)], [None, 2.0, 2.0, 2.0]),
        ([("10T14:00", CORRECTION, 2), ("10T16:00", RETRACTION, None)], [None, 5.0, 2.0, None]),
        ([("10T14:00", RETRACTION, None), ("10T16:00", CORRECTION, 2)], [None, 5.0, None, 2.0]),
        ([("10T14:00", RETRACTION, None), ("10T14:00", CORRECTION, 2)], [None, 5.0, None, None]),
    ]
    rows: list[Row] = []
    for listing, (revisions, _) in enumerate(histories):
        rows.append((f"r{listing}", listing, "10T08:00", "10T12:00", None, 5))
        rows += [
            (f"r{listing}", listing, "10T08:00", known, revision, rating)
            for known, revision, rating in revisions
        ]
    asked = [(listing, f"10T{hour}:00") for listing in range(len(histories)) for hour in (11, 13, 15, 17)]
    assert means(spark, LIFETIME, rows, asked) == [cell for _, expected in histories for cell in expected]


def test_a_revision_whose_row_never_comes_counts_for_nothing(spark: SparkSession) -> None:
    rows: list[Row] = [
        ("gone", 1, "10T08:00", "10T09:00", CORRECTION, 1),
        ("here", 1, "10T08:00", "10T09:00", None, 3),
    ]
    assert means(spark, LIFETIME, rows, [(1, "10T12:00")]) == [3.0]


def test_of_corrections_told_at_one_instant_the_same_one_counts_in_any_order_and_for_hot_keys(
    spark: SparkSession,
) -> None:
    dice = random.Random(4)
    view = ratings([days(1), LIFETIME], total("rating"), distinct("remark"))
    start, rows, winners = instant("04T00:00"), list[tuple[object, ...]](), []
    for number in range(60):
        at = start + timedelta(minutes=20 * number)
        told = at + timedelta(minutes=dice.choice([1, 200]))
        rows.append((f"r{number}", 1, at, at, None, 1, "first"))
        tied = [
            (
                at + timedelta(minutes=dice.choice([0, 0, 3])),
                dice.choice([None, 5, 9]),
                dice.choice([None, "é", "z"]),
            )
            for _ in range(3)
        ]
        rows += [(f"r{number}", 1, moved, told, CORRECTION, rating, remark) for moved, rating, remark in tied]
        # As Spark orders nulls, before all else.
        winners.append(max(tied, key=lambda one: (one[0], one[1] or 0, (one[2] or "").encode())))
    spine = spark.createDataFrame(
        [(n, 1, start + timedelta(hours=1 + n)) for n in range(30)], "probe int, listing int, as_of timestamp"
    )
    found = []
    for order, rows_per_task in ((rows, None), (rows[::-1], None), (dice.sample(rows, len(rows)), 20)):
        frame = spark.createDataFrame(order, SCHEMA + ", remark string").repartition(3)
        sources = {"ratings": Source(frame, ("id",))}
        hot = hot_keys(view, spine, sources, rows_per_task=rows_per_task) if rows_per_task else {}
        assert bool(hot) == bool(rows_per_task)
        found.append(build_view(view, spine, sources, tasks=2, hot=hot).orderBy("probe").collect())
    assert found[0] == found[1] == found[2]
    (last,) = (row for row in found[0] if row["probe"] == "29")
    assert last["listing_rating_sum_lifetime"] == sum(rating or 0 for _, rating, _ in winners)
    assert last["listing_remark_distinct_lifetime"] == len({remark for _, _, remark in winners if remark})
    rows_told = evidence(view, "listing_rating_sum_lifetime", spine.where("probe = 29"), sources).collect()
    assert sum(int(row["contribution"] or 0) for row in rows_told) == last["listing_rating_sum_lifetime"]
