"""Amounts at the rate known then, against plain Python decimals; never a float, and never a rate of the future."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from pyspark.sql import SparkSession

from features.declare import FeatureView, Rates, Spine, converted, days, expression
from features.source import Source
from features.view import build_view, spine_rows
from lake.errors import SchemaError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATES = Rates(source="fx", currency="code", rate="usd", into="USD", stale_after=days(2))
VIEW = FeatureView(
    name="v",
    spine=Spine(
        source="payments", row="id",
        columns=[
            converted("amount", currency="currency", rates=RATES),
            converted("fee", currency="currency", rates=RATES, name="fee_usd"),
        ],
    ),
    groups=[],
    derived=[expression("fee_share", "fee_usd / amount_in_usd")],
)  # fmt: skip
PAYMENTS = "id string, amount decimal(18,4), fee decimal(18,4), currency string, event_at timestamp, known_at timestamp"
FX = "fx_id long, code string, usd decimal(18,8), event_at timestamp, known_at timestamp"
Payment = tuple[str, Decimal | None, Decimal | None, str | None, datetime, datetime]
Rate = tuple[int, str, Decimal, datetime, datetime]


def built(
    spark: SparkSession, payments: Sequence[Payment], rates: Sequence[Rate]
) -> dict[str, tuple[object, ...]]:
    rows = spark.createDataFrame(payments, PAYMENTS)
    sources = {
        "payments": Source(rows, ("id",)),
        "fx": Source(spark.createDataFrame(rates, FX), ("fx_id",)),
    }
    names = ("amount_in_usd", "has_amount_in_usd_rate", "fee_usd")
    frame = build_view(VIEW, spine_rows(VIEW, rows), sources)
    return {row["id"]: tuple(row[name] for name in names) for row in frame.collect()}


def expected(payment: Payment, rates: Sequence[Rate]) -> tuple[object, ...]:
    """The rule, word for word."""
    _, amount, fee, currency, as_of, _ = payment
    seen = [rate for rate in rates if rate[1] == currency and max(rate[3], rate[4]) < as_of]
    last = max(seen, key=lambda rate: (rate[3], str(rate[0])), default=None)
    rate = last[2] if last and as_of - last[3] <= timedelta(days=2) else None
    if currency == "USD":
        rate = Decimal(1)

    def at_rate(value: Decimal | None) -> Decimal | None:
        if value is None or rate is None:
            return None
        return (value * rate).quantize(Decimal("0.0001"), ROUND_HALF_UP)

    return at_rate(amount), rate is not None, at_rate(fee)


def history(dice: random.Random) -> tuple[list[Payment], list[Rate]]:
    """Rates of whole days, known the same day or days later, and payments at and around their instants."""

    def money() -> Decimal | None:
        return dice.choice([None, *(Decimal(dice.randrange(-(10**7), 10**12)) / 10**4 for _ in range(9))])

    rates = []
    for number in range(60):
        at = NOON + timedelta(days=dice.randrange(12))
        known = at + timedelta(hours=dice.choice([0, 1, 30]))
        rates.append(
            (number, dice.choice(["EUR", "INR", "USD"]), Decimal(dice.randrange(1, 10**9)) / 10**8, at, known)
        )
    payments: list[Payment] = []
    for number in range(200):
        at = NOON + timedelta(hours=dice.randrange(400))
        currency = dice.choice(["EUR", "INR", "USD", "XXX", None])
        payments.append((f"p{number}", money(), money(), currency, at, at))
    return payments, rates


@pytest.mark.parametrize("seed", [1, 2])
def test_conversions_equal_brute_force(spark: SparkSession, seed: int) -> None:
    payments, rates = history(random.Random(seed))
    cells = built(spark, payments, rates)
    assert cells == {payment[0]: expected(payment, rates) for payment in payments}
    assert len({has_rate for _, has_rate, _ in cells.values()}) == 2


def test_a_rate_of_the_future_changes_nothing(spark: SparkSession) -> None:
    payments, rates = history(random.Random(3))
    latest = max(payment[4] for payment in payments)
    future = [(100 + n, code, Decimal(9), latest, NOON) for n, code in enumerate(["EUR", "INR", "XXX"])]
    late = [(200 + n, code, Decimal(9), NOON, latest) for n, code in enumerate(["EUR", "INR", "XXX"])]
    assert built(spark, payments, [*late, *rates[::-1], *future]) == built(spark, payments, rates)


def test_the_columns_are_decimals_and_the_table_keeps_nothing_of_the_way(spark: SparkSession) -> None:
    rows = spark.createDataFrame([], PAYMENTS)
    sources = {"payments": Source(rows, ("id",)), "fx": Source(spark.createDataFrame([], FX), ("fx_id",))}
    assert build_view(VIEW, spine_rows(VIEW, rows), sources).dtypes == [
        ("as_of", "timestamp"), ("id", "string"), ("amount_in_usd", "decimal(38,4)"),
        ("has_amount_in_usd_rate", "boolean"), ("fee_usd", "decimal(38,4)"), ("has_fee_usd_rate", "boolean"),
        ("fee_share", "decimal(38,6)"), ("definition_hash", "string"),
    ]  # fmt: skip


def test_amounts_of_one_currency_column_share_an_exchange(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = spark.range(3).selectExpr(
        "cast(id AS string) AS id", "cast(id AS decimal(18,4)) AS amount", "cast(id AS decimal(18,4)) AS fee",
        "'EUR' AS currency", "timestamp '2026-03-01' AS event_at", "timestamp '2026-03-01' AS known_at",
        "'EUR' AS code", "cast(1 AS decimal(18,8)) AS usd",
    )  # fmt: skip
    frame = build_view(
        VIEW, spine_rows(VIEW, rows), {"payments": Source(rows, ("id",)), "fx": Source(rows, ("id",))}
    )
    assert frame.count() == 3
    frame.explain()
    plan = capsys.readouterr().out
    assert len(re.findall(r"\bExchange (?:hash|range|Round|Single)", plan)) == 1, plan


@pytest.mark.parametrize(
    ("payments", "fx", "told"),
    [
        (
            "amount decimal(18,4)",
            "amount double",
            r"amount_in_usd: amount amount is double, and money is no float: ",
        ),
        (
            "usd decimal(18,8)",
            "usd double",
            r"amount_in_usd: rate usd of fx is double, and money is no float: declare",
        ),
    ],
)
def test_money_that_is_a_float_is_refused_with_its_line(
    spark: SparkSession, payments: str, fx: str, told: str
) -> None:
    rows = spark.createDataFrame([], PAYMENTS.replace(payments, fx))
    rates = spark.createDataFrame([], FX.replace(payments, fx))
    sources = {"payments": Source(rows, ("id",)), "fx": Source(rates, ("fx_id",))}
    with pytest.raises(SchemaError, match=rf"{re.escape(__file__)}:\d+: {told}"):
        build_view(VIEW, spine_rows(VIEW, rows), sources)
