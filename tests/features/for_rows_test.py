"""Features for rows a user brings: what a build gives the same rows, and clear words for what does not fit."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Lookup,
    Rates,
    Spine,
    converted,
    count,
    days,
    expression,
    hour_of_day,
    total,
)
from features.for_rows import features_for
from features.source import Source
from features.view import build_view, spine_rows
from lake.errors import SchemaError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATES = Rates(source="fx", currency="code", rate="usd", into="USD")
VIEW = FeatureView(
    name="v",
    spine=Spine(
        source="payments", row="payment_id", context=["note"],
        columns=[
            "amount", hour_of_day("event_at"), expression("is_large", "amount > 9 AND currency = 'USD'"),
            converted("amount", currency="currency", rates=RATES),
        ],
    ),
    groups=[
        FeatureGroup(
            entity=Entity("card", key="card_id"), source="payments", windows=[days(1), LIFETIME],
            measures=[count("n"), total("amount")],
        )
    ],
    lookups=[Lookup(entity=Entity("payer", key="payer_id"), source="users", columns=["level"], context=["status"])],
    derived=[expression("doubled", "amount * 2")],
)  # fmt: skip
PAYMENTS = (
    "payment_id string, card_id string, payer_id long, amount decimal(18,2), currency string, note string, "
    "event_at timestamp, known_at timestamp"
)


@pytest.fixture
def sources(spark: SparkSession) -> dict[str, Source]:
    dice = random.Random(1)
    payments = [
        (
            f"p{n}", dice.choice(["a", "b", None]), dice.choice([1, 2, None]), Decimal(n), dice.choice(["USD", "EUR"]),
            "note", at := NOON + timedelta(minutes=dice.randrange(3000)), at,
        )
        for n in range(40)
    ]  # fmt: skip
    users = [
        (n, 1 + n % 2, n, "new", NOON + timedelta(hours=n), NOON + timedelta(hours=n)) for n in range(30)
    ]
    rates = [
        (n, "EUR", Decimal(n + 1), NOON + timedelta(hours=n), NOON + timedelta(hours=n)) for n in range(9)
    ]
    times = "event_at timestamp, known_at timestamp"
    return {
        "payments": Source(spark.createDataFrame(payments, PAYMENTS), ("payment_id",)),
        "users": Source(
            spark.createDataFrame(users, f"lsn long, payer_id long, level long, status string, {times}"), ("lsn",)
        ),
        "fx": Source(spark.createDataFrame(rates, f"id long, code string, usd decimal(18,8), {times}"), ("id",)),
    }  # fmt: skip


def test_rows_that_say_all_get_what_a_build_gives_them(sources: Mapping[str, Source]) -> None:
    payments = sources["payments"].rows
    built = build_view(VIEW, spine_rows(VIEW, payments), sources)
    brought = payments.withColumn("as_of", payments["event_at"])
    found = features_for(VIEW, brought, sources).select(built.columns)
    assert found.dtypes == built.dtypes
    assert sorted(map(str, found.collect())) == sorted(map(str, built.collect()))


def test_keys_and_an_instant_are_enough(spark: SparkSession, sources: Mapping[str, Source]) -> None:
    payments = sources["payments"].rows
    full = {row["payment_id"]: row for row in build_view(VIEW, spine_rows(VIEW, payments), sources).collect()}
    bare = payments.selectExpr("event_at AS as_of", "payer_id", "card_id", "payment_id AS reference")
    rows = features_for(VIEW, bare, sources).collect()
    assert len({row["payment_id"] for row in rows}) == len(rows) == 40
    for row in rows:
        mine, theirs = row.asDict(), full[row["reference"]].asDict()
        # The hour is known from the instant, the rest of the row is not.
        unknown = {"amount": None, "is_large": None, "amount_in_usd": None, "has_amount_in_usd_rate": False}
        expected = theirs | unknown | {"doubled": None, "reference": row["reference"]}
        del expected["note"]
        assert mine == expected | {"payment_id": row["payment_id"]}
    assert dict(features_for(VIEW, bare, sources).dtypes)["amount"] == "decimal(18,2)"
    twins = spark.createDataFrame([(NOON, 1, "a")] * 3, "as_of timestamp, payer_id long, card_id string")
    assert features_for(VIEW, twins, sources).count() == 3


def test_ids_that_were_brought_stay_even_where_they_repeat(
    spark: SparkSession, sources: Mapping[str, Source]
) -> None:
    hour = timedelta(hours=1)
    rows = [
        ("x", NOON + 10 * hour, 1, "a"),
        ("x", NOON + 20 * hour, 2, "b"),
        (None, NOON + 30 * hour, None, None),
    ]
    frame = spark.createDataFrame(rows, "payment_id string, as_of timestamp, payer_id long, card_id string")
    found = {row["as_of"]: row for row in features_for(VIEW, frame, sources).collect()}
    assert [row["payment_id"] for _, row in sorted(found.items())] == ["x", "x", None]
    assert [row["payer_level"] for _, row in sorted(found.items())] == [8, 19, None]


def test_made_ids_are_the_same_for_the_same_rows(sources: Mapping[str, Source]) -> None:
    bare = sources["payments"].rows.selectExpr("event_at AS as_of", "payer_id", "card_id")

    def ids(rows: DataFrame) -> set[str]:
        return {row["payment_id"] for row in features_for(VIEW, rows, sources).select("payment_id").collect()}

    assert ids(bare) == ids(bare.repartition(3).orderBy("payer_id"))


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            ["as_of", "payer_id"],
            "view v: the rows to describe lack card_id; they have as_of, payer_id; a key may be null, but",
        ),
        (
            ["payer_id", "card_id"],
            "view v: the rows to describe lack as_of; they have payer_id, card_id; a key may be null, but",
        ),
        (
            ["'tomorrow' AS as_of", "payer_id", "card_id"],
            "view v: as_of of the rows to describe is string; it is an instant: make it a timestamp (UTC)",
        ),
        (
            ["as_of", "string(payer_id) AS payer_id", "card_id"],
            "view v: key payer_id of the rows to describe is string, in payments it is bigint; cast it",
        ),
        (
            ["as_of", "payer_id", "card_id", "1 AS card_n_1d", "'x' AS payer_status"],
            "view v: the rows to describe bring card_n_1d, payer_status, which is computed; leave it out",
        ),
    ],
    ids=["no key", "no instant", "as_of is text", "key type", "computed"],
)
def test_rows_that_do_not_fit_are_told_why(
    spark: SparkSession, sources: Mapping[str, Source], columns: list[str], told: str
) -> None:
    rows = spark.createDataFrame([(NOON, 1, "a")], "as_of timestamp, payer_id long, card_id string")
    with pytest.raises(SchemaError) as caught:
        features_for(VIEW, rows.selectExpr(*columns), sources)
    assert str(caught.value).startswith(told)


def test_a_row_without_an_instant_is_an_error_and_not_a_wrong_number(
    spark: SparkSession, sources: Mapping[str, Source]
) -> None:
    rows = spark.createDataFrame([(None, 1, "a")], "as_of timestamp, payer_id long, card_id string")
    with pytest.raises(Exception, match="a row has no as_of; give every row an instant"):
        features_for(VIEW, rows, sources).collect()
