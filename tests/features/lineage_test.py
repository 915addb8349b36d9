"""Lineage: what each feature reads, told by Spark's analyzer, and agreeing with what drops it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from features.columns_read import columns_read, query_reads
from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Link,
    Lookup,
    Rates,
    Spine,
    SqlSource,
    converted,
    count,
    days,
    expression,
    latest,
    ratio,
    total,
)
from features.lineage import Read, lineage
from features.source import Source
from features.view import build_view, spine_rows

CARD, PAYER = Entity("card", key="card_id"), Entity("payer", key="payer_id")
LARGE = SqlSource(
    name="large",
    sql="SELECT p.id, p.card_id, p.event_at, p.known_at FROM {payments} p JOIN {limits} l ON p.amount > l.amount",
    key=["id"],
)
VIEW = FeatureView(
    name="v",
    spine=Spine(
        source="payments", row="id", as_of="known_at",
        columns=[
            "amount", expression("is_odd", "note LIKE '%amount%' AND Fee > 0"),
            converted("fee", currency="code", rates=Rates(source="fx", currency="code", rate="usd", into="USD")),
        ],
    ),
    groups=[
        FeatureGroup(
            entity=CARD, source="payments", windows=[days(1), LIFETIME], where="status = 'ok'",
            measures=[count("n"), total("amount", where="fee > 0"), latest("amount")],
        ),
        FeatureGroup(entity=CARD, source=LARGE, windows=[LIFETIME], measures=[count("large")]),
        FeatureGroup(
            entity=CARD, windows=[LIFETIME], where="note = 'bad'", measures=[count("bad")],
            source=Link(source="disputes", on="payer", through="payments", through_on="payer_id"),
        ),
    ],
    lookups=[
        Lookup(
            entity=PAYER, source="users", source_key="user_id", columns=["level"], context=["status"],
            order_by="lsn", deleted="op = 'D'",
        )
    ],
    derived=[
        ratio("amount_to_last", of="amount", to="card_amount_last_1d"),
        expression("is_new", "payer_status = 'new' AND amount_to_last > 1"),
    ],
)  # fmt: skip
TIMES = "event_at timestamp, known_at timestamp"
LOGS = {
    "payments": f"id string, card_id string, payer_id string, amount decimal(9,2), fee decimal(9,2), code string, "
    f"note string, status string, {TIMES}",
    "limits": f"id string, amount decimal(9,2), {TIMES}",
    "disputes": f"id string, payer string, note string, {TIMES}",
    "users": f"id string, user_id string, level int, status string, lsn long, op string, {TIMES}",
    "fx": f"id string, code string, usd decimal(9,4), {TIMES}",
}  # fmt: skip


@pytest.fixture
def sources(spark: SparkSession) -> dict[str, Source]:
    return {log: Source(spark.createDataFrame([], schema), ("id",)) for log, schema in LOGS.items()}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("amount", {"amount"}),
        ("AMOUNT", {"amount"}),
        ("1", set()),
        ("amount / fee + amount", {"amount", "fee"}),
        ("if(note = 'fee', `status`, \"amount\")", {"note", "status"}),
        ("exists(split(note, ' '), id -> id = status)", {"note", "status"}),
        ("hour(Event_At) /* fee */", {"event_at"}),
        ("CASE WHEN amount > 1 THEN 'code' END", {"amount"}),
        ("'amount'", set()),
    ],
)
def test_an_expression_reads_the_columns_that_spark_resolves(
    sources: Mapping[str, Source], sql: str, expected: set[str]
) -> None:
    assert set(columns_read(sql, sources["payments"].rows)) == expected


@pytest.mark.parametrize("sql", ["prize + 1", "amount +", "card_id.part"])
def test_what_is_no_expression_over_the_rows_is_sparks_error(sources: Mapping[str, Source], sql: str) -> None:
    with pytest.raises(AnalysisException):
        columns_read(sql, sources["payments"].rows)


def test_a_query_reads_the_columns_without_which_it_fails(sources: Mapping[str, Source]) -> None:
    columns = [("payments", name) for name in ("id", "card_id", "amount", "event_at", "known_at")]
    assert query_reads(LARGE, sources) == [*columns, ("limits", "amount")]
    everything = SqlSource(name="all", sql="SELECT * FROM {limits}", key=["id"])
    assert query_reads(everything, sources) == [
        ("limits", name) for name in ("id", "amount", "event_at", "known_at")
    ]


def test_every_feature_is_led_back_to_the_logs(sources: Mapping[str, Source]) -> None:
    built = build_view(VIEW, spine_rows(VIEW, sources["payments"].rows), sources)
    reads = lineage(VIEW, sources, built)
    assert reads == sorted(set(reads))
    assert {read.feature for read in reads} == set(VIEW.features)

    def of(feature: str) -> set[str]:
        found = [read for read in reads if read.feature == feature]
        return {f"{one.log}.{one.column} {one.use}" + (f" {one.via}" if one.via else "") for one in found}

    asked = {"payments.card_id key", "payments.known_at time"}
    windowed = asked | {"payments.event_at time", "payments.status condition"}
    assert of("amount") == {"payments.amount value"}
    assert of("is_odd") == {"payments.note value", "payments.fee value"}
    assert of("has_card") == {"payments.card_id key"}
    assert of("card_n_1d") == of("card_n_lifetime") == windowed
    assert of("card_amount_sum_1d") == windowed | {"payments.amount value", "payments.fee condition"}
    assert of("card_amount_last_1d") == windowed | {"payments.amount value", "payments.id order"}
    assert of("card_large_lifetime") == asked | {
        f"{log}.{column} query large" for log, column in query_reads(LARGE, sources)
    }
    through = "disputes linked through payments"
    assert of("card_bad_lifetime") == asked | {
        f"payments.card_id key {through}", f"disputes.payer link {through}", f"payments.payer_id link {through}",
        f"disputes.note condition {through}",
        *(f"{log}.{name} time {through}" for log in ("disputes", "payments") for name in ("event_at", "known_at")),
    }  # fmt: skip
    age = {
        "payments.payer_id key", "payments.known_at time", "users.user_id key", "users.event_at time",
        "users.known_at time", "users.lsn order",
    }  # fmt: skip
    assert of("payer_users_age_hours") == age
    assert of("payer_level") == age | {"users.level value", "users.op condition"}
    rate = {
        "payments.code key", "payments.known_at time", "fx.code key", "fx.event_at time", "fx.known_at time",
        "fx.usd value",
    }  # fmt: skip
    assert of("has_fee_in_usd_rate") == rate
    assert of("fee_in_usd") == rate | {"payments.fee value"}
    assert of("amount_to_last") == of("amount") | of("card_amount_last_1d")
    assert of("is_new") == age | of("amount_to_last") | {"users.status value", "users.op condition"}
    assert of("has_card_history") >= windowed | of("card_large_lifetime") | of("card_bad_lifetime")


def test_reads_are_in_order_and_say_all_they_know() -> None:
    assert Read("a", "log", "x", "key") < Read("b", "log", "x", "key") < Read("b", "log", "y", "key")
