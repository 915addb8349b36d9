"""Ratings that traders receive say who is a fraud: they obey the clock, and only suspicion finds them.

The shape is that of the Bitcoin OTC network (rater, ratee, rating from -10 to 10, time), of which
``TRUSTLAKE_BITCOIN_OTC`` may name a folder with ``otc_network.csv`` and ``otc_gt.csv``.
"""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    count,
    days,
    mean,
    smallest,
    std,
)
from features.labels import Label
from features.prove.declared import ViewProofs
from features.prove.report import Report
from features.prove.settings import ProofSettings
from features.source import Source
from features.view import build_view

Rating = tuple[str, str, int, datetime]

VARIABLE = "TRUSTLAKE_BITCOIN_OTC"
NOW, DAY = datetime(2016, 2, 1, tzinfo=UTC), timedelta(days=1)
MEASURES = [count("count"), mean("rating"), smallest("rating"), std("rating")]
RECEIVED = FeatureGroup(
    entity=Entity("received", key="user_id"), source="ratings", source_key="ratee", windows=[LIFETIME],
    measures=MEASURES,
)  # fmt: skip
GIVEN = FeatureGroup(
    entity=Entity("given", key="user_id"), source="ratings", source_key="rater", windows=[days(365), LIFETIME],
    measures=MEASURES,
)  # fmt: skip
LABEL = Label(source="verdicts", on="user_id", fraud="is_fraud", matures_after=DAY)


def report_on(spark: SparkSession, ratings: list[Rating], is_fraud: dict[str, bool]) -> Report:
    """The proofs of what traders gave and received until now, with verdicts that come a day later."""
    view = FeatureView(name="users", spine=Spine(source="ratings", row="user_id"), groups=[RECEIVED, GIVEN])
    rows = [(f"{n}", *rating, rating[-1]) for n, rating in enumerate(ratings)]
    told = [(f"v{name}", name, NOW, NOW + DAY, fraud) for name, fraud in is_fraud.items()]
    sources = {
        "ratings": Source(
            spark.createDataFrame(
                rows,
                "id string, rater string, ratee string, rating int, event_at timestamp, known_at timestamp",
            ),
            ("id",),
        ),
        "verdicts": Source(
            spark.createDataFrame(
                told, "id string, user_id string, event_at timestamp, known_at timestamp, is_fraud boolean"
            ),
            ("id",),
        ),
    }
    spine = spark.createDataFrame([(name, NOW) for name in is_fraud], "user_id string, as_of timestamp")
    built = build_view(view, spine, sources, tasks=2)
    table = spark.createDataFrame(built.collect(), built.schema)
    return ViewProofs(
        view=view,
        rows=table,
        sources=sources,
        labels=(LABEL,),
        known_before=NOW + 2 * DAY,
        settings=ProofSettings(),
    ).of_label()


def replica() -> tuple[list[Rating], dict[str, bool]]:
    """80 traders; honest ones are rated well by others, frauds badly; what either gives is much the same."""
    dice = random.Random(2)
    names = [f"u{n}" for n in range(80)]
    is_fraud = {name: n % 2 == 0 for n, name in enumerate(names)}
    ratings = []
    for ratee in names:
        for _ in range(dice.randrange(3, 9)):
            rater, at = dice.choice(names), NOW - timedelta(days=dice.randrange(1, 900))
            score = dice.randrange(-10, -2) if is_fraud[ratee] else dice.randrange(1, 5)
            ratings.append((rater, ratee, score, at))
    return ratings, is_fraud


def test_received_ratings_are_too_good_to_be_true_and_given_ones_are_not(spark: SparkSession) -> None:
    report = report_on(spark, *replica())
    suspected = {finding.feature for finding in report.leaks}
    assert suspected == {"received_rating_mean_lifetime", "received_rating_min_lifetime"}
    assert {(finding.proof, finding.event) for finding in report.leaks} == {("suspicion", None)}
    (first, *_) = report.leaks
    assert first.row_id in {name for name, fraud in replica()[1].items() if fraud}
    assert (first.expected, first.found) == ("an AUC of at most 0.99", "1.000")


def network(folder: Path) -> Iterator[Rating]:
    with (folder / "otc_network.csv").open(encoding="utf-8", newline="") as lines:
        for rater, ratee, rating, seconds in csv.reader(lines):
            yield rater, ratee, int(rating), datetime.fromtimestamp(float(seconds), UTC)


@pytest.mark.slow
def test_the_real_network_is_suspected_for_what_was_received_alone(spark: SparkSession) -> None:
    folder = Path(os.environ.get(VARIABLE, ""))
    if not (folder / "otc_gt.csv").is_file():
        pytest.skip(f"{VARIABLE} names no folder with the Bitcoin OTC data")
    with (folder / "otc_gt.csv").open(encoding="utf-8", newline="") as lines:
        is_fraud = {name: int(verdict) < 0 for name, verdict in csv.reader(lines)}
    report = report_on(spark, list(network(folder)), is_fraud)
    suspected = {finding.feature for finding in report.leaks}
    assert "received_rating_mean_lifetime" in suspected
    assert all(feature.startswith("received_") for feature in suspected)
