"""Decays are sums of integers: the same bits for a row by itself as for rows summed up, at every size of number."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from features.declare import LIFETIME, Entity, FeatureGroup, FeatureView, Spine, days, decayed, hours, minutes
from features.source import Source
from features.view import build_view, hot_keys
from features.windows.decay import weight, weights
from features.windows.exact import Carried, Weighed
from features.windows.intervals import Alive
from features.windows.summaries import halves

CARD = Entity("card", key="card_id")
VIEW = FeatureView(
    name="decays",
    spine=Spine(source="probes", row="probe_id"),
    groups=[
        FeatureGroup(
            entity=CARD,
            source="payments",
            windows=[minutes(90), days(2), LIFETIME],
            measures=[
                decayed("weight", half_life=minutes(30)),
                decayed("amount_weight", of="amount", half_life=minutes(30)),
                decayed("slow_amount_weight", of="amount", half_life=hours(5)),
                decayed("tiny_weight", of="tiny", half_life=hours(5)),
            ],
        )
    ],
)
UNIT = 1 << 62
EDGES = [0, 1, UNIT - 1, UNIT, UNIT + 1, 3 * UNIT - 1, 3 * UNIT, 10**37, UNIT << 60]


@pytest.mark.parametrize("bits", [8, 30, 40, 59])
@pytest.mark.parametrize("is_carried", [True, False])
def test_a_weighed_sum_is_exact_and_rounded_once(bits: int, *, is_carried: bool) -> None:
    dice = random.Random(bits)
    size = 200
    values = [dice.randint(-(2**bits), 2**bits) for _ in range(size)]
    times = [dice.randrange(10**15) for _ in range(size)]
    weighs = weights(np.array(times), 3_600_000_000)
    ready = [dice.randint(-(2 ** (bits + 50)), 2 ** (bits + 50)) if is_carried else 0 for _ in range(size)]
    values = [0 if carried else value for value, carried in zip(values, ready, strict=True)]
    high, low = (np.array(part) for part in ([n >> 62 for n in ready], [n % UNIT for n in ready]))
    carried = Carried(np.zeros(size, dtype=np.int64), high, low) if is_carried else None
    starts = np.array([dice.randrange(50) for _ in range(size)])
    ends, probes = starts + np.array([dice.randrange(40) for _ in range(size)]), np.arange(90)
    found = Weighed(np.array(values), weighs, carried).total(Alive.of(starts, ends, probes))
    assert found.tolist() == [
        float(
            sum(
                value * int(weigh) + brought
                for value, weigh, brought, start, end in zip(values, weighs, ready, starts, ends, strict=True)
                if start < probe <= end
            )
        )
        for probe in probes
    ]


def test_a_sum_of_products_parts_into_whole_numbers_at_every_size(spark: SparkSession) -> None:
    numbers = [sign * number for number in EDGES for sign in (1, -1)]
    rows = spark.createDataFrame([(Decimal(number),) for number in numbers], "n decimal(38,0)")
    found = rows.select("n", *(part.alias(name) for name, part in zip("hl", halves(F.col("n")), strict=True)))
    assert sorted((int(row["n"]), row["h"], row["l"]) for row in found.collect()) == sorted(
        (number, number >> 62, number % UNIT) for number in numbers
    )


def test_weights_are_the_same_in_a_column(spark: SparkSession) -> None:
    dice = random.Random(5)
    times = [dice.randint(-(10**15), 4 * 10**15) for _ in range(1000)]
    rows = spark.createDataFrame([(time,) for time in times], "time long")
    found = [row[0] for row in rows.select(weight(F.col("time"), 7_777_777)).collect()]
    assert found == weights(np.array(times), 7_777_777).tolist()
    assert 2**24 <= min(found) < max(found) <= 2**32


@pytest.mark.parametrize("noon", [datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)])
def test_a_hot_key_has_the_bits_of_a_whole_one(spark: SparkSession, noon: datetime) -> None:
    dice = random.Random(3)
    events = []
    for number in range(600):
        at = noon + timedelta(minutes=dice.randrange(-4000, 4000), microseconds=dice.randrange(10**6))
        amount = Decimal(dice.randint(-(10**17), 10**17)).scaleb(-2)
        events.append(
            (f"e{number}", "a", at, at + timedelta(minutes=dice.choice([0, 0, 9])), amount, dice.randrange(3))
        )
    rows = spark.createDataFrame(
        events,
        "id string, card_id string, event_at timestamp, known_at timestamp, amount decimal(18,2), tiny int",
    )
    probes = [(str(n), "a", noon + timedelta(minutes=dice.randrange(-4000, 4500))) for n in range(300)]
    spine = spark.createDataFrame(probes, "probe_id string, card_id string, as_of timestamp")
    sources = {"payments": Source(rows, ("id",))}
    hot = hot_keys(VIEW, spine, sources, rows_per_task=100)
    assert len(hot["card"][0].cuts) > 5
    cut, whole = (
        build_view(VIEW, spine, sources, tasks=2, hot=keys).orderBy("probe_id").collect()
        for keys in (hot, {})
    )
    assert cut == whole
    assert len({row["card_slow_amount_weight_lifetime"] for row in whole}) > 250
