"""What a build costs in shuffles, and what it refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession

from features.declare import (
    LIFETIME,
    Entity,
    Expression,
    FeatureGroup,
    FeatureView,
    Link,
    Measure,
    Spine,
    count,
    days,
    distinct,
    hours,
    largest,
    latest,
    mean,
    std,
    total,
)
from features.definition_hash import definition_hash
from features.source import Source
from features.view import build_view
from lake.errors import SchemaError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD, DEVICE = Entity("card", key="card_id"), Entity("device", key="device_id")
PAIR = Entity("card_device", key=("card_id", "device_id"))


def group_of(entity: Entity, *measures: Measure, source: str | Link = "payments") -> FeatureGroup:
    return FeatureGroup(
        entity=entity, source=source, windows=[hours(1), days(1), LIFETIME], measures=measures
    )


def view_of(*groups: FeatureGroup) -> FeatureView:
    return FeatureView(name="v", spine=Spine(source="payments", row="id"), groups=groups)


@pytest.fixture
def payments(spark: SparkSession) -> DataFrame:
    """Six payments of three cards, of a size that Spark knows."""
    noon = f"timestamp '{NOON.isoformat()}'"
    return spark.range(6).selectExpr(
        "cast(id AS int) AS id",
        "concat('c', id % 3) AS card_id",
        "concat('d', id % 2) AS device_id",
        f"{noon} AS event_at",
        f"{noon} AS known_at",
        "cast(id AS decimal(18,2)) AS amount",
        "cast(id AS double) AS weight",
    )


def built(view: FeatureView, payments: DataFrame, rows: DataFrame | None = None) -> DataFrame:
    spine = payments.selectExpr("id", "event_at AS as_of", "card_id", "device_id")
    source = Source(payments if rows is None else rows, ("id",))
    return build_view(view, spine, {"payments": source, "logins": source})


@pytest.mark.parametrize(
    ("groups", "exchanges"),
    [
        ([group_of(CARD, count("n"), std("amount"))], 1),
        ([group_of(CARD, count("n")), group_of(CARD, distinct("device_id"), source="logins")], 1),
        ([group_of(CARD, total("amount"), latest("amount")), group_of(DEVICE, largest("amount"))], 2),
        ([group_of(CARD, count("n")), group_of(DEVICE, count("n")), group_of(PAIR, count("n"))], 3),
        (
            [
                group_of(CARD, count("n")),
                group_of(
                    DEVICE, count("bad"), source=Link(source="payments", on="card_id", through="logins")
                ),
            ],
            3,
        ),
    ],
)
def test_each_entity_costs_one_exchange_and_a_link_one_more(
    payments: DataFrame, capsys: pytest.CaptureFixture[str], groups: list[FeatureGroup], exchanges: int
) -> None:
    frame = built(view_of(*groups), payments)
    assert frame.count() == 6
    frame.explain()
    plan = capsys.readouterr().out
    assert len(re.findall(r"\bExchange (?:hash|range|Round)", plan)) == exchanges, plan
    assert plan.count("MapInArrow") == len({group.entity for group in groups})
    assert not re.search(r"InPandas|InArrow|EvalPython", plan.replace("MapInArrow", "")), plan


def test_rows_are_stored_as_the_last_exchange_leaves_them(
    payments: DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    view = view_of(group_of(CARD, count("n")), group_of(DEVICE, count("n")))
    frame = built(view, payments)
    frame.explain()
    first = re.findall(r"\w+", capsys.readouterr().out.partition("AdaptiveSparkPlan")[2])
    assert first[:3] == ["isFinalPlan", "false", "MapInArrow"], first
    assert frame.columns == ["as_of", "id", "card_id", "device_id", *view.features, "definition_hash"]
    assert {(row["id"], row["definition_hash"]) for row in frame.collect()} == {
        (str(number), definition_hash(view)) for number in range(6)
    }


def test_what_is_derived_reads_ids_as_they_are(payments: DataFrame) -> None:
    view = replace(view_of(group_of(CARD, count("n"))), derived=[Expression("hashed", "xxhash64(id)")])
    found = built(view, payments).select("id", "hashed").collect()
    expected = payments.selectExpr("cast(id AS string) AS id", "xxhash64(id) AS hashed").collect()
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (
            total("weight"),
            r"sum of weight in payments is double; a double gives other sums in another order; declare it",
        ),
        (mean("card_id"), r"mean of card_id in payments is string; it is no number; declare it"),
    ],
)
def test_what_is_no_exact_number_is_refused(payments: DataFrame, measure: Measure, told: str) -> None:
    with pytest.raises(SchemaError, match=rf"{__file__}:\d+: {told}"):
        built(view_of(group_of(CARD, measure)), payments)


def test_keys_of_two_types_are_refused(payments: DataFrame) -> None:
    rows = payments.selectExpr("id", "1 AS card_id", "event_at", "known_at")
    told = "payments.card_id is int, the spine's card_id is string; give the key of card one type in both contracts"
    with pytest.raises(SchemaError, match=told):
        built(view_of(group_of(CARD, count("n"))), payments, rows)


def test_a_source_without_a_time_is_refused(payments: DataFrame) -> None:
    with pytest.raises(
        SchemaError, match="payments has no known_at; it has id, card_id, device_id, event_at, amount"
    ):
        built(view_of(group_of(CARD, count("n"))), payments, payments.drop("known_at"))


def test_a_sum_that_does_not_fit_is_an_error_and_not_a_wrong_number(payments: DataFrame) -> None:
    rows = payments.selectExpr(
        "id",
        "'c0' AS card_id",
        "event_at - interval 1 hour AS event_at",
        "known_at - interval 1 hour AS known_at",
        "cast(9e17 AS decimal(18,0)) AS amount",
    )
    with pytest.raises(
        Exception, match="card_amount_sum_1h: a sum over 6 rows may come to 5400000000000000000"
    ):
        built(view_of(group_of(CARD, total("amount"))), payments, rows).collect()


def test_large_values_keep_their_spread(payments: DataFrame) -> None:
    rows = payments.selectExpr(
        "id",
        "card_id",
        "event_at - interval 1 hour AS event_at",
        "known_at - interval 1 hour AS known_at",
        "cast(100000000000000 + id AS decimal(18,0)) AS amount",
    )
    found = built(view_of(group_of(CARD, std("amount"))), payments, rows).collect()
    # Each card has two payments that lie 3 apart.
    assert {row["card_amount_std_1h"] for row in found} == {(4.5) ** 0.5}


def test_a_row_id_that_is_a_key_too_keeps_its_type_on_the_way(payments: DataFrame) -> None:
    earlier = [f"{name} - interval 1 hour AS {name}" for name in ("event_at", "known_at")]
    rows = payments.selectExpr("id", *earlier)
    frame = built(view_of(group_of(Entity("payment", key="id"), count("n"))), payments, rows)
    assert dict(frame.dtypes)["id"] == "string"
    assert [row["payment_n_1h"] for row in frame.where("id = '3'").collect()] == [1]
