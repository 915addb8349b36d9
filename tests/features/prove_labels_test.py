"""Label time against feature time, features too good to be true, and what a finished table alone can prove."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.labels import Label
from features.prove.auc import auc
from features.prove.embargo import embargo, training_embargo
from features.prove.finished import prove_table
from features.prove.labelled import labelled
from features.prove.relation import Relation
from features.prove.report import Report
from features.prove.settings import ProofSettings
from features.prove.subject import Subject
from features.prove.suspicion import living_on_news, too_good
from features.prove.target import Target
from features.source import Source

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LABEL = Label(source="labels", on="row_id", fraud="is_fraud", matures_after=7 * DAY)
LABELS = "label_id string, row_id string, event_at timestamp, known_at timestamp, is_fraud boolean"
SETTINGS = ProofSettings(frauds=10)


def target(
    spark: SparkSession, told: list[tuple[str, datetime, bool]], known_before: datetime = NOON + 60 * DAY
) -> Target:
    """Labels by the row they are of, when they are known, and what they say."""
    rows = [(f"label of {row}", row, NOON, known, is_fraud) for row, known, is_fraud in told]
    return Target(
        (LABEL,), {"labels": Source(spark.createDataFrame(rows, LABELS), ("label_id",))}, known_before
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_auc_is_the_share_of_pairs_in_the_right_order(seed: int) -> None:
    dice = np.random.default_rng(seed)
    values = dice.integers(0, 6, 60).astype(np.float64)
    values[dice.random(60) < 0.2] = np.nan
    is_fraud = dice.random(60) < 0.3
    low = np.nan_to_num(values, nan=-1)
    pairs = [(a > b) + (a == b) / 2 for a in low[is_fraud] for b in low[~is_fraud]]
    share = float(np.mean(pairs))
    assert auc(values, is_fraud) == pytest.approx(max(share, 1 - share))
    assert auc(is_fraud.astype(np.float64), is_fraud) == auc(-is_fraud.astype(np.float64), is_fraud) == 1
    assert np.isnan(auc(values, np.zeros(60, dtype=np.bool_)))


def test_a_label_known_by_the_rows_instant_and_a_row_too_young_break_the_embargo(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [
            ("fine", NOON),
            ("at once", NOON),
            ("before", NOON),
            ("young", NOON + 53 * DAY),
            ("unlabelled", NOON),
        ],
        "row_id string, as_of timestamp",
    )
    told = [("fine", NOON + DAY, True), ("at once", NOON, False), ("before", NOON - HOUR, True)]
    report = training_embargo(rows, "row_id", target(spark, told))
    assert [(made.proof, made.rows) for made in report.made] == [("embargo", 5)]
    found = {finding.row_id: finding for finding in report.leaks}
    assert found.keys() == {"at once", "before", "young"}
    event = found["before"].event
    assert event is not None
    assert (event.source, event.row_id, event.known_at) == ("labels", "label of before", NOON - HOUR)
    assert found["young"].expected == "a row before 2026-04-23 12:00:00"
    looked_at = embargo(rows, "row_id", target(spark, told))
    assert {finding.row_id for finding in looked_at.leaks} == {"at once", "before"}

    honest = rows.where("row_id IN ('fine', 'unlabelled')")
    assert training_embargo(honest, "row_id", target(spark, told)).findings == ()
    assert embargo(rows.limit(0), "row_id", target(spark, told)).made[0].why_not == "there are no rows"


@pytest.fixture(scope="module")
def table(_session: SparkSession) -> DataFrame:
    """80 rows, the first half of them frauds: a feature that tells all, one that tells nothing, and a text."""
    dice = random.Random(1)
    rows = [
        (
            f"r{n:02d}",
            f"c{n}",
            NOON + n * HOUR,
            float(n < 40) + dice.random() / 2,
            dice.random(),
            n < 40,
            "text",
        )
        for n in range(80)
    ]
    schema = "row_id string, card_id string, as_of timestamp, tell double, noise double, truth boolean, words string"
    return _session.createDataFrame(rows, schema).coalesce(1)


def verdicts() -> list[tuple[str, datetime, bool]]:
    return [(f"r{n:02d}", NOON + 20 * DAY, n < 40) for n in range(80)]


def test_a_feature_that_tells_all_is_a_leak_unless_it_is_trusted(
    spark: SparkSession, table: DataFrame
) -> None:
    rows = labelled(table, "row_id", ["tell", "noise", "truth", "words"], target(spark, verdicts()))
    assert rows.features == ("tell", "noise", "truth")
    report = too_good(rows, SETTINGS)
    assert [(f.feature, f.found, f.is_leak) for f in report.findings] == [
        ("tell", "1.000", True),
        ("truth", "1.000", True),
    ]
    assert all(int(finding.row_id[1:]) < 40 for finding in report.findings)
    trusting = ProofSettings(frauds=10, trusted=("tell", "truth"))
    assert too_good(rows, trusting).findings == ()
    few = too_good(rows, ProofSettings(frauds=41))
    assert few.findings == ()
    assert few.made[0].why_not == "40 frauds and 40 others have mature labels; 41 of each are needed"


def test_only_mature_rows_are_judged_and_by_labels_that_were_known(
    spark: SparkSession, table: DataFrame
) -> None:
    seen = target(spark, verdicts()[:20], NOON + 7 * DAY + 30 * HOUR)
    first = labelled(table, "row_id", ["noise"], seen)
    assert (sorted(first.ids), first.frauds) == ([f"r{n:02d}" for n in range(30)], 0)
    later = target(spark, verdicts()[:20], NOON + 20 * DAY + timedelta(microseconds=1))
    rows = labelled(table, "row_id", ["noise"], later)
    assert (len(rows.ids), rows.frauds) == (80, 20)
    assert labelled(table, "row_id", ["noise"], target(spark, verdicts()[:20], NOON + 20 * DAY)).frauds == 0


def test_a_feature_that_lives_on_the_news_of_the_last_hour_is_listed_and_no_leak(
    spark: SparkSession, table: DataFrame
) -> None:
    def build(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        known = F.expr("event_at < as_of AND known_at < as_of")
        return (
            spine.join(sources["events"].rows, on="card_id", how="left")
            .groupBy("row_id")
            .agg(
                F.count_if(known & F.expr("NOT is_old")).alias("news"),
                F.count_if(known & F.expr("is_old")).alias("old"),
            )
        )

    # Frauds have an event of half an hour ago and one of last week, the others neither.
    rows = [
        (f"e{n} {age}", f"c{n}", NOON + n * HOUR - age, age > DAY)
        for n in range(40)
        for age in (HOUR / 2, 7 * DAY)
    ]
    events = spark.createDataFrame(rows, "id string, card_id string, event_at timestamp, is_old boolean")
    source = Source(events.withColumn("known_at", F.col("event_at")).coalesce(1), ("id",))
    subject = Subject(
        build=build, row="row_id", features=("news", "old"),
        relations=[Relation("events", ("card_id",), ("card_id",))],
    )  # fmt: skip
    built = build(table, {"events": source}).join(table.select("row_id", "as_of"), on="row_id")
    drawn = labelled(built, "row_id", ["news", "old"], target(spark, verdicts())).first(12, 11)
    assert (len(drawn.ids), drawn.frauds) == (23, 12)
    spine = table.where(F.col("row_id").isin(list(drawn.ids)))
    report = living_on_news(drawn, subject, spine, {"events": source}, SETTINGS)
    assert report.leaks == ()
    assert [(finding.feature, finding.found) for finding in report.findings] == [
        ("news", "0.500 with all sources known 1 h later"),
        ("news", "0.500 with all sources known 24 h later"),
    ]


def finished(spark: SparkSession, frame: str) -> DataFrame:
    """Payments of two cards, two at one instant, counted over a window frame in SQL."""
    rows = [("a", "c", 1), ("b", "c", 2), ("d", "c", 2), ("e", "x", 2), ("f", None, 2), ("g", None, 2)]
    paid = spark.createDataFrame(
        [(row, card, NOON + hour * HOUR, hour) for row, card, hour in rows],
        "row_id string, card_id string, as_of timestamp, own int",
    )
    over = f"OVER (PARTITION BY card_id ORDER BY unix_micros(as_of) {frame})"
    return paid.withColumn("seen", F.expr(f"count(*) {over}"))


def test_a_window_by_the_order_of_rows_lets_a_twin_see_its_twin(spark: SparkSession) -> None:
    def proved(frame: str) -> Report:
        return prove_table(finished(spark, frame), "row_id", ["seen"], keys=["card_id"], own=["own"])

    by_order = proved("ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING")
    (finding,) = by_order.leaks
    assert (finding.proof, finding.feature, finding.row_id) == ("tie", "seen", "d")
    assert finding.event is not None
    assert (finding.event.row_id, finding.expected, finding.found) == ("b", "1", "2")
    by_time = proved("RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING")
    assert by_time.findings == ()
    assert list(by_time.lines()) == [
        "proved tie on 2 rows: no leaks",
        "truncation not made: needs the function that builds the features",
        "canary not made: needs the function that builds the features",
        "tie limited: by rows of one key and instant alone; a window that takes in all of them needs the function",
        "embargo not made: no label",
        "suspicion not made: no label",
    ]


def test_a_finished_table_with_labels_keeps_embargo_and_suspicion(
    spark: SparkSession, table: DataFrame
) -> None:
    report = prove_table(
        table,
        "row_id",
        ["noise"],
        keys=["card_id"],
        own=["tell"],
        target=target(spark, verdicts()),
        settings=SETTINGS,
    )
    made = {one.proof: one.rows for one in report.made}
    assert made == {"truncation": 0, "canary": 0, "tie": 0, "embargo": 80, "suspicion": 80}
    assert [(finding.proof, finding.feature) for finding in report.leaks] == [("suspicion", "tell")]
