"""Training sets: one row a feature row, labels only as they were known, known-bad entities out as the Handbook does."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.label_events import label_events
from features.labels import Label
from features.source import Source
from features.verdicts import LABELS_TYPE, STATES
from training.splits import Fold, SplitSettings, split
from training.training_set import TestSettings as Judging
from training.training_set import TrainingSet, feature_array, table_spec, training_set, with_labels
from training.weights import WeightSettings

LABEL = Label(source="disputes", on="payment", fraud="kind = 'fraud'", matures_after=timedelta(days=7))
START = datetime(2018, 8, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def at(days: float) -> datetime:
    return START + days * DAY


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Payment:
    """A feature row and, where it was fraud, when that became known."""

    row: str
    customer: str
    as_of: datetime
    known_at: datetime | None


def feature_rows(spark: SparkSession, payments: list[Payment]) -> DataFrame:
    rows = [(p.row, p.as_of, p.customer, float(n), None if n % 3 else n) for n, p in enumerate(payments)]
    return spark.createDataFrame(
        rows, "payment_id string, as_of timestamp, customer string, amount double, tries long"
    )


def stored(
    spark: SparkSession, payments: list[Payment], labels: list[tuple[str, str, datetime]], as_of: datetime
) -> DataFrame:
    told = [(str(n), START, *label) for n, label in enumerate(labels)]
    schema = "id string, event_at timestamp, payment string, kind string, known_at timestamp"
    events = label_events((LABEL,), {"disputes": Source(spark.createDataFrame(told, schema), ("id",))})
    testing = Judging(entity="customer", amount="amount", slices={"dear": "amount > 1"})
    return training_set(
        feature_rows(spark, payments), events, (LABEL,), testing,
        row="payment_id", features=("amount", "tries"), run_key="k", as_of=as_of,
    )  # fmt: skip


def kept(rows: DataFrame, **testing: Any) -> TrainingSet:
    return TrainingSet(rows=rows, labels=(LABEL,), testing=Judging(**testing), weights=WeightSettings())


def test_a_row_in_gives_a_row_out_with_the_first_verdict_known_before_as_of(spark: SparkSession) -> None:
    payments = [Payment(name, "c", at(n), None) for n, name in enumerate("abcd")]
    labels = [
        ("a", "fraud", at(8)),
        ("a", "fraud", at(9)),
        ("b", "late delivery", at(8)),
        ("c", "fraud", at(10)),
        ("d", "fraud", at(10) - timedelta(microseconds=1)),
        ("z", "fraud", at(8)),
    ]
    frame = stored(spark, payments, labels, at(10))
    spec = table_spec("fraud")
    assert spec.name == "training_fraud"
    assert frame.dtypes == [(field.name, field.dataType.simpleString()) for field in spec.schema]
    found = {row["row"]: row for row in frame.collect()}
    assert {name: found[hashed(name)]["fraud_known_at"] for name in "abcd"} == {
        "a": at(8).replace(tzinfo=None),
        "b": None,
        "c": None,
        "d": (at(10) - timedelta(microseconds=1)).replace(tzinfo=None),
    }
    assert len(found) == 4
    second = found[hashed("b")]
    assert (second["entity"], second["amount"], second["slices"]) == (hashed("c"), 1.0, {"dear": "false"})
    assert second["features"][0] == 1.0
    assert math.isnan(second["features"][1])


def test_a_fold_trains_on_what_was_known_when_its_test_begins_and_is_judged_by_what_came_later(
    spark: SparkSession,
) -> None:
    payments = [
        Payment(name, name, at(days), None) for name, days in [("a", 0), ("b", 1), ("c", 1.99), ("d", 2)]
    ]
    payments += [Payment(name, name, at(days), None) for name, days in [("e", 9), ("f", 9.5), ("g", 10)]]
    labels = [("a", "fraud", at(8)), ("b", "fraud", at(9)), ("e", "fraud", at(16)), ("f", "fraud", at(17))]
    frame = stored(spark, payments, labels, at(30))
    fold = Fold(at(0), at(2), at(9), at(10), judged_at=at(17))
    train = {row["row"]: row["is_fraud"] for row in kept(frame).train_rows(fold).collect()}
    assert train == {hashed("a"): True, hashed("b"): False, hashed("c"): False}
    test = {row["row"]: row["is_fraud"] for row in kept(frame).test_rows(fold).collect()}
    assert test == {hashed("e"): True, hashed("f"): False}


def handbook_rows(payments: list[Payment], first: int, days: int, delay: int) -> set[str]:
    """The Handbook's loop: customers with a fraud in the training week or in a day whose labels have come are out."""

    def on(payment: Payment) -> int:
        return (payment.as_of - START).days

    frauds = [payment for payment in payments if payment.known_at is not None]
    known = {p.customer for p in frauds if first - 2 * delay <= on(p) < first - delay}
    kept: set[str] = set()
    for number in range(days):
        known |= {p.customer for p in frauds if on(p) == first - delay + number - 1}
        kept |= {p.row for p in payments if on(p) == first + number and p.customer not in known}
    return kept


@pytest.mark.parametrize("seed", [1, 2])
def test_known_bad_customers_are_left_out_of_a_test_as_the_handbook_does(
    spark: SparkSession, seed: int
) -> None:
    draw = random.Random(seed)
    payments = []
    for number in range(500):
        as_of = at(draw.randrange(28 * 24) / 24)
        known_at = as_of + 7 * DAY if draw.random() < 0.08 else None
        payments.append(Payment(f"p{number}", f"c{draw.randrange(60)}", as_of, known_at))
    labels = [(p.row, "fraud", p.known_at) for p in payments if p.known_at is not None]
    frame = stored(spark, payments, labels, at(40))
    fold = Fold(at(7), at(14), at(21), at(28), judged_at=at(40))
    found = kept(frame, entity="customer", forget_known_bad_days=14).test_rows(fold).collect()
    expected = handbook_rows(payments, first=21, days=7, delay=7)
    assert {row["row"] for row in found} == {hashed(name) for name in expected}
    everyone = kept(frame, entity="customer").test_rows(fold).count()
    assert len(found) == len(expected) < everyone == sum(p.as_of >= at(21) for p in payments)


def test_training_leaves_out_the_entities_of_the_test_where_that_is_asked(spark: SparkSession) -> None:
    payments = [Payment("a", "both", at(0), None), Payment("b", "before", at(1), None)]
    payments += [Payment("c", "both", at(9), None), Payment("d", "after", at(9), None)]
    frame = stored(spark, payments, [], at(30))
    fold = Fold(at(0), at(2), at(9), at(10), judged_at=at(17))
    assert {row["row"] for row in kept(frame).train_rows(fold).collect()} == {hashed("a"), hashed("b")}
    apart = replace(fold, entities_apart=True)
    assert {row["row"] for row in kept(frame).train_rows(apart).collect()} == {hashed("b")}
    assert Fold.from_json(apart.to_json()) == apart


def test_rows_of_unknown_label_are_counted_and_neither_trained_on_nor_judged(spark: SparkSession) -> None:
    label = replace(LABEL, not_fraud="kind = 'won'", censored="kind = 'refund'", silence_acquits=False)
    told = [(str(n), START, name, kind, at(days)) for n, (name, kind, days) in enumerate([
        ("fraud", "fraud", 8), ("won", "fraud", 6), ("won", "won", 8), ("later", "won", 9), ("refund", "refund", 2),
        ("both", "won", 3), ("both", "fraud", 3),
    ])]  # fmt: skip
    schema = "id string, event_at timestamp, payment string, kind string, known_at timestamp"
    events = label_events((label,), {"disputes": Source(spark.createDataFrame(told, schema), ("id",))})
    names = ["fraud", "won", "later", "refund", "both", "silent"]
    rows = feature_rows(spark, [Payment(name, "c", at(0), None) for name in names])
    frame = training_set(
        rows, events, (label,), Judging(), row="payment_id", features=("tries",), run_key="k", as_of=at(30)
    )
    fold = Fold(at(0), at(2), at(9), at(10), judged_at=at(17))
    one = TrainingSet(rows=frame, labels=(label,), testing=Judging(), weights=WeightSettings())
    train = {row["row"]: row["is_fraud"] for row in one.train_rows(fold).collect()}
    assert train == {hashed("fraud"): True, hashed("won"): False}
    assert one.states(fold)["train"] == {
        "matured": 1,
        "overturned": 1,
        "open": 2,
        "censored": 1,
        "contradicted": 1,
    }
    again = one.train_rows(replace(fold, test_from=at(9) + timedelta(microseconds=1)))
    assert {row["row"] for row in again.collect()} == {*train, hashed("later")}
    acquitting = replace(one, labels=(replace(label, silence_acquits=True),))
    assert {row["row"] for row in acquitting.train_rows(fold).collect()} == {
        *train,
        hashed("later"),
        hashed("silent"),
    }


def test_random_parts_share_the_rows_and_the_frauds_and_none_is_trained_on_and_tested(
    spark: SparkSession,
) -> None:
    payments = [Payment(f"p{n}", "c", at(n / 10), None) for n in range(103)]
    frame = stored(spark, payments, [(f"p{n}", "fraud", at(20)) for n in range(23)], at(60)).persist()
    parts = split(at(60), SplitSettings(random_parts=5), timedelta(days=7))
    tested: list[str] = []
    for stage in parts.stages:
        (validation,), (test,) = stage.validation, stage.test
        judged = kept(frame).test_rows(test).collect()
        assert (len(judged), sum(row["is_fraud"] for row in judged)) in {(20, 4), (20, 5), (21, 5), (21, 4)}
        tested += [row["row"] for row in judged]
        trained = {row["row"] for row in kept(frame).train_rows(test).collect()}
        assert len(trained) == 103 - len(judged)
        assert trained.isdisjoint(row["row"] for row in judged)
        chosen_on = {row["row"] for row in kept(frame).test_rows(validation).collect()}
        chosen_by = {row["row"] for row in kept(frame).train_rows(validation).collect()}
        assert chosen_on | chosen_by == trained
        assert chosen_on.isdisjoint(chosen_by)
        assert kept(frame).states(test) == {"all": dict.fromkeys(STATES, 0) | {"matured": 103}}
    assert sorted(tested) == sorted(hashed(payment.row) for payment in payments)


def test_what_a_float_cannot_hold_becomes_the_nearest_that_it_can(spark: SparkSession) -> None:
    values = [1.5, None, math.nan, math.inf, -math.inf, 1e300, -1e39, 3e38]
    rows = spark.createDataFrame([(value,) for value in values], "x double")
    found = [row[0][0] for row in rows.select(feature_array(["x"])).collect()]
    largest = 3.4028234663852886e38
    assert found[0] == 1.5
    assert math.isnan(found[1])
    assert math.isnan(found[2])
    assert found[3:7] == [largest, -largest, largest, -largest]
    assert found[7] == pytest.approx(3e38)


def test_rows_that_were_stored_with_the_instant_of_a_label_alone_are_read_as_before(
    spark: SparkSession,
) -> None:
    payments = [Payment("a", "c", at(0), None), Payment("b", "c", at(1), None)]
    frame = stored(spark, payments, [("a", "fraud", at(8))], at(30))
    fold = Fold(at(0), at(2), at(9), at(10), judged_at=at(17))
    for older in (frame.drop("labels"), frame.withColumn("labels", F.lit(None).cast(LABELS_TYPE))):
        rows = kept(with_labels(older, (LABEL,))).train_rows(fold).collect()
        assert {row["row"]: row["is_fraud"] for row in rows} == {hashed("a"): True, hashed("b"): False}
