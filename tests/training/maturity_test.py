"""The maturity curve: a published example, what it covers, and days counted as plain Python counts them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from features.labels import Label
from features.verdicts import LABELS_TYPE
from training.maturity.curve import Curve, maturity_curve
from training.maturity.delays import ALL_SOURCES, curves
from training.maturity.known_share import FLOOR, share_known
from training.maturity.plot import draw_maturity
from training.maturity.table import LABEL_MATURITY, maturity_rows
from training.weights import WeightSettings, weight

START, HOUR, DAY = datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1), timedelta(days=1)
# Remission of leukaemia under 6-MP in weeks (Freireich and others, Blood 21, 1963), as in every text book.
RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
IN_REMISSION = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_a_published_example() -> None:
    curve = maturity_curve(Counter(RELAPSED), Counter(IN_REMISSION))
    assert curve.days.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    published = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert (1 - curve.share).round(3).tolist() == published
    # The interval on the log-log scale, as survfit's conf.type = "log-log" gives it for the first and the last week.
    assert 1 - curve.share_high[0] == pytest.approx(0.620, abs=5e-4)
    assert 1 - curve.share_low[0] == pytest.approx(0.952, abs=5e-4)
    assert 1 - curve.share_high[-1] == pytest.approx(0.188, abs=5e-4)
    assert 1 - curve.share_low[-1] == pytest.approx(0.680, abs=5e-4)
    assert curve.known[-1] == curve.known_low[-1] == curve.known_high[-1] == 1
    assert (curve.known_by(5), curve.known_by(100), curve.day_by_which(0.9)) == (0.0, 1.0, 23)


def followed(draw: np.random.Generator, rows: int) -> Curve:
    """A third of the rows is fraud, whose labels take a month or so; rows are of every age up to 120 days."""
    delay = np.ceil(draw.lognormal(np.log(20), 0.6, rows)).astype(int)
    age = draw.integers(0, 120, rows)
    is_seen = (draw.random(rows) < 1 / 3) & (delay <= age)
    return maturity_curve(Counter(delay[is_seen].tolist()), Counter(age[~is_seen].tolist()))


def test_its_intervals_hold_what_is_true_as_often_as_they_say() -> None:
    draw = np.random.default_rng(3)
    whole = np.ceil(draw.lognormal(np.log(20), 0.6, 400_000))
    at, share, known = 20, 0, 0
    found = [followed(draw, 600) for _ in range(300)]
    for curve in found:
        place = int(np.searchsorted(curve.days, at, side="right")) - 1
        truth = float(np.mean(whole <= at))
        share += bool(curve.share_low[place] <= truth / 3 <= curve.share_high[place])
        ever = float(np.mean(whole <= curve.days[-1]))
        known += bool(curve.known_low[place] <= truth / ever <= curve.known_high[place])
    assert 0.90 <= share / len(found) <= 0.99
    assert 0.90 <= known / len(found) <= 0.99
    # Without heed of censoring the young rows would pull the share down by a third.
    assert float(np.mean([curve.share[-1] for curve in found])) == pytest.approx(1 / 3, abs=0.03)


def test_without_labels_nothing_is_known_and_where_all_are_labelled_everything_is() -> None:
    nothing = maturity_curve({}, {3: 10})
    assert (len(nothing.days), nothing.known_by(3), nothing.day_by_which(0.9)) == (0, 1.0, None)
    every = maturity_curve({1: 2, 4: 3}, {})
    assert (every.share.tolist(), every.known.tolist()) == ([0.4, 1.0], [0.4, 1.0])
    assert np.isfinite(every.known_low).all()
    assert draw_maturity({"disputes": nothing}, 3).axes == []
    assert len(draw_maturity({"disputes": every}, 3).axes) == 1


def label(source: str) -> Label:
    return Label(source=source, on="row", fraud="true", matures_after=DAY)


@pytest.mark.parametrize("seed", range(2))
def test_days_are_counted_as_plain_python_counts_them(spark: SparkSession, seed: int) -> None:
    draw = random.Random(seed)
    before = START + 10 * DAY
    rows, labelled, watched = [], Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for _ in range(300):
        as_of = START + draw.randrange(11 * 24) * HOUR
        labels = sorted(
            (as_of + draw.randrange(-6, 9 * 24) * HOUR, None, draw.choice("ab"),
             draw.choice(["fraud", "not fraud", "censored"]), None, 1.0)
            for _ in range(draw.choice([0, 0, 1, 2]))
        )  # fmt: skip
        rows.append((as_of, labels or None))
        for source in ("a", "b", ALL_SOURCES):
            if as_of >= before:
                continue
            seen = [at for at, _, of, said, *_ in labels if source in {of, ALL_SOURCES} and said == "fraud"]
            ends = [at for at, _, of, said, *_ in labels if source in {of, ALL_SOURCES} and said != "fraud"]
            age = (min([before, *(at for at in ends if at < before)]) - as_of) // DAY
            came = -(
                (as_of - min((at for at in seen if at < before), default=datetime.max.replace(tzinfo=UTC)))
                // DAY
            )
            if seen and max(came, 0) <= age:
                labelled[source, max(came, 0)] += 1
            else:
                watched[source, max(age, 0)] += 1
    frame = spark.createDataFrame(rows, f"as_of timestamp, labels {LABELS_TYPE}")
    found = curves(frame, [label("a"), label("b")], before)
    for source in ("a", "b", ALL_SOURCES):
        expected = maturity_curve(
            {day: n for (of, day), n in labelled.items() if of == source},
            {day: n for (of, day), n in watched.items() if of == source},
        )
        for part in ("days", "at_risk", "labelled", "share", "known_low"):
            assert np.array_equal(getattr(found[source], part), getattr(expected, part)), (source, part)
    stored = maturity_rows(spark, "k", "m", found)
    assert stored.schema == LABEL_MATURITY.schema
    assert stored.count() == sum(len(curve.days) for curve in found.values())


def test_a_fraud_counts_for_those_whose_label_is_still_to_come(spark: SparkSession) -> None:
    curve = maturity_curve({0: 1, 2: 1, 5: 2}, {})
    before = START + 10 * DAY
    ages = [timedelta(0), DAY, 3 * DAY, 5 * DAY, 5 * DAY - HOUR, 90 * DAY]
    rows = spark.createDataFrame([(before - age,) for age in ages], "as_of timestamp")
    found = [row[0] for row in rows.select(share_known(curve, F.col("as_of"), before)).collect()]
    assert found == [0.25, 0.25, 0.5, 1.0, 0.5, 1.0]
    rare = maturity_curve({0: 1, 2: 99}, {})
    assert rows.select(share_known(rare, F.col("as_of"), before)).head() == (FLOOR,)


@pytest.mark.parametrize(
    ("settings", "of_fraud", "of_other"),
    [
        ({}, 0.8, 0.5),
        ({"confidence": False}, 1.0, 1.0),
        ({"maturity": True}, 3.2, 0.5),
        ({"fraud": 3}, 2.4, 0.5),
        ({"money": "linear"}, 0.8 * 16, 0.5),
        ({"money": "root", "fraud": 2, "confidence": False}, 2 * (1 + 15**0.5), 1.0),
    ],
)
def test_what_a_row_counts_for(
    spark: SparkSession, settings: dict[str, object], of_fraud: float, of_other: float
) -> None:
    rows = spark.createDataFrame([(True, 0.8), (False, 0.5)], "is_fraud boolean, sure double")
    told = weight(
        WeightSettings.model_validate(settings), F.col("is_fraud"),
        amount=F.lit(15.0), confidence=F.col("sure"), known=F.lit(0.25),
    )  # fmt: skip
    assert [row[0] for row in rows.select(told).collect()] == pytest.approx([of_fraud, of_other])
