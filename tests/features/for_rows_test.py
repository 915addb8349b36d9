"""Features for rows a user brings: what a build gives the same rows, and clear words for what does not fit."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

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


@pytest.fixture(scope="module")
def sources(_session: SparkSession) -> dict[str, Source]:
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
        "payments": Source(_session.createDataFrame(payments, PAYMENTS), ("payment_id",)),
        "users": Source(
            _session.createDataFrame(users, f"lsn long, payer_id long, level long, status string, {times}"), ("lsn",)
        ),
        "fx": Source(_session.createDataFrame(rates, f"id long, code string, usd decimal(18,8), {times}"), ("id",)),
    }  # fmt: skip


@pytest.fixture(scope="module")
def built(sources: Mapping[str, Source]) -> tuple[list[tuple[str, str]], dict[str, Row]]:
    """What a build gives the payments: types by column, rows by id."""
    frame = build_view(VIEW, spine_rows(VIEW, sources["payments"].rows), sources)
    return frame.dtypes, {row["payment_id"]: row for row in frame.collect()}


def test_rows_that_say_all_get_what_a_build_gives_them(
    sources: Mapping[str, Source], built: tuple[list[tuple[str, str]], dict[str, Row]]
) -> None:
    types, expected = built
    payments = sources["payments"].rows
    brought = payments.withColumn("as_of", payments["event_at"])
    found = features_for(VIEW, brought, sources).select([name for name, _ in types])
    assert found.dtypes == types
    assert {row["payment_id"]: row for row in found.collect()} == expected


def test_keys_and_an_instant_are_enough(
    sources: Mapping[str, Source], built: tuple[list[tuple[str, str]], dict[str, Row]]
) -> None:
    _, full = built
    columns = ["event_at AS as_of", "payer_id", "card_id", "payment_id AS reference"]
    frame = features_for(VIEW, sources["payments"].rows.selectExpr(*columns), sources)
    assert dict(frame.dtypes)["amount"] == "decimal(18,2)"
    rows = frame.collect()
    assert len({row["payment_id"] for row in rows}) == len(rows) == 40
    for row in rows:
        mine, theirs = row.asDict(), full[row["reference"]].asDict()
        # The hour is known from the instant, the rest of the row is not.
        unknown = {"amount": None, "is_large": None, "amount_in_usd": None, "has_amount_in_usd_rate": False}
        expected = theirs | unknown | {"doubled": None, "reference": row["reference"]}
        del expected["note"]
        assert mine == expected | {"payment_id": row["payment_id"]}


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


def test_made_ids_are_the_same_for_the_same_rows_and_twins_have_one_each(
    sources: Mapping[str, Source],
) -> None:
    bare = sources["payments"].rows.selectExpr("event_at AS as_of", "payer_id", "card_id")
    twice = bare.unionByName(bare)

    def ids(rows: DataFrame) -> list[str]:
        found = features_for(VIEW, rows, sources).select("payment_id").collect()
        return sorted(row["payment_id"] for row in found)

    made = ids(twice)
    assert made == ids(twice.repartition(3).orderBy("payer_id"))
    assert len(set(made)) == 80


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
