"""What a section of a hot key holds: about its own rows, however long the key's history was before."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    approx_distinct,
    burst,
    count,
    decayed,
    distinct,
    entropy,
    hours,
    latest,
    minutes,
    std,
    total,
)
from features.source import Source
from features.windows.block import SECTION, SPINE
from features.windows.exchange import gather
from features.windows.hot_keys import find_hot_keys
from features.windows.plan import plan_group
from features.windows.sections import in_sections
from lake.errors import SchemaError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = Entity("card", key="card_id")
VIEW = FeatureView(
    name="sections",
    spine=Spine(source="payments", row="id"),
    groups=[
        FeatureGroup(
            entity=CARD,
            source="payments",
            windows=[hours(1), LIFETIME],
            measures=[
                count("n"),
                total("amount"),
                std("amount"),
                latest("amount"),
                distinct("device"),
                entropy("device"),
                approx_distinct("device"),
                burst("burst", span=minutes(7)),
                burst("odd_burst", span=minutes(30), where="amount % 2 = 1"),
                decayed("weight", half_life=hours(4)),
                decayed("amount_weight", of="amount", half_life=hours(8)),
            ],
        )
    ],
)


def largest_section(spark: SparkSession, size: int, *, is_revised: bool) -> int:
    """The most rows that a section holds, of a card with an event a minute, each from another device.

    Every fifth event is corrected two hours later, every tenth taken back after three.
    """
    events: list[tuple[object, ...]] = []
    for number in range(size):
        at, row = NOON + timedelta(minutes=number), f"e{number}"
        device = f"device {number}"
        events.append((row, "a", at, at, None, Decimal(number % 90), device))
        if number % 5 == 0:
            events.append((row, "a", at, at + timedelta(hours=2), "correction", Decimal(1), device))
        if number % 10 == 0:
            events.append((row, "a", at, at + timedelta(hours=3), "retraction", None, None))
    rows = spark.createDataFrame(
        events,
        "id string, card_id string, event_at timestamp, known_at timestamp, revision string, "
        "amount decimal(18,2), device string",
    )
    if not is_revised:
        rows = rows.where("revision is null").drop("revision")
    probes = [(str(n), "a", NOON + timedelta(minutes=5 * n)) for n in range(size // 5)]
    spine = spark.createDataFrame(probes, "id string, card_id string, as_of timestamp")
    frame = spine.select(F.struct(*spine.columns).alias(SPINE), F.lit(None).cast("binary").alias("packed"))
    gathered = gather(VIEW, CARD, frame, {"payments": Source(rows, ("id",))})
    hot = find_hot_keys(gathered.rows, gathered.streams, 800)
    assert [key.key for key in hot] == ["a"]
    held = in_sections(gathered.rows, gathered.streams, hot).groupBy(SECTION).count().collect()
    assert len(held) > size // 200
    return max(int(row["count"]) for row in held)


def test_more_windows_than_there_are_bits_are_refused(spark: SparkSession) -> None:
    rows = spark.createDataFrame([], "card_id string, event_at timestamp, known_at timestamp")
    many = [minutes(number) for number in range(1, 20)]
    measures = [count("n"), decayed("weight", half_life=hours(1)), burst("burst", span=hours(1))]
    for windows, is_refused in ((many[:18], False), (many, True)):
        group = FeatureGroup(entity=CARD, source="payments", windows=windows, measures=measures)
        refused = pytest.raises(
            SchemaError, match="57 different windows, and decays and bursts over them; one group can"
        )
        with refused if is_refused else nullcontext():
            plan_group(group, 1, Source(rows, ("card_id",)))


@pytest.mark.parametrize("is_revised", [True, False])
def test_a_longer_history_makes_no_section_larger(spark: SparkSession, *, is_revised: bool) -> None:
    short, long = (largest_section(spark, size, is_revised=is_revised) for size in (3000, 6000))
    # Where Spark cuts depends on the order in which it merges samples: by a tenth either way.
    assert long < 1.6 * short
    assert long < 1200
