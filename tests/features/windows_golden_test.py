"""One key's history with a tie, a late row, a retraction and rows of other keys, against cells worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from features.declare import (
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    count,
    days,
    distinct,
    hours,
    largest,
    total,
)
from features.source import Source
from features.view import build_view
from lake.contracts import RETRACTION

Cell = tuple[int, int, int | None, int]


def at(day: int, hour: int, minute: int = 0, micros: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) + timedelta(microseconds=micros)


EVENTS = [
    # id, key, event_at, known_at, revision, cents, device
    ("e1", "c1", at(1, 0), at(1, 0), None, 1000, "d1"),
    ("e2", "c1", at(1, 1), at(1, 1), None, 2000, "d2"),
    ("e2", "c1", at(1, 1), at(2, 0, 30), RETRACTION, None, None),
    ("e3", "c1", at(1, 1), at(1, 1), None, 500, "d1"),
    ("e4", "c1", at(1, 1, 30), at(1, 3), None, 700, "d3"),
    ("e5", "c1", at(2, 1), at(2, 1), None, 300, "d1"),
    ("e6", "c2", at(1, 1), at(1, 1), None, 9999, "d9"),
    ("e7", None, at(1, 0, 30), at(1, 0, 30), None, 1, "d0"),
]
NONE: Cell = (0, 0, None, 0)
WITHOUT_HISTORY = {"p1", "p15", "p16"}
PROBES: list[tuple[str, str | None, datetime, Cell | None, Cell | None, Cell | None]] = [
    ("p1", "c1", at(1, 0), NONE, NONE, NONE),
    ("p2", "c1", at(1, 1), (1, 1000, 1000, 1), (1, 1000, 1000, 1), (1, 1000, 1000, 1)),
    ("p3", "c1", at(1, 1), (1, 1000, 1000, 1), (1, 1000, 1000, 1), (1, 1000, 1000, 1)),
    ("p4", "c1", at(1, 1, 0, 1000), (2, 2500, 2000, 2), (3, 3500, 2000, 2), (3, 3500, 2000, 2)),
    ("p5", "c1", at(1, 2), (2, 2500, 2000, 2), (3, 3500, 2000, 2), (3, 3500, 2000, 2)),
    ("p6", "c1", at(1, 3), NONE, (3, 3500, 2000, 2), (3, 3500, 2000, 2)),
    ("p7", "c1", at(1, 3, 0, 1000), NONE, (4, 4200, 2000, 3), (4, 4200, 2000, 3)),
    ("p8", "c1", at(2, 0), NONE, (4, 4200, 2000, 3), (4, 4200, 2000, 3)),
    ("p9", "c1", at(2, 0, 0, 1000), NONE, (3, 3200, 2000, 3), (4, 4200, 2000, 3)),
    ("p10", "c1", at(2, 0, 30), NONE, (3, 3200, 2000, 3), (4, 4200, 2000, 3)),
    ("p11", "c1", at(2, 0, 30, 1000), NONE, (2, 1200, 700, 2), (3, 2200, 1000, 2)),
    ("p12", "c1", at(2, 1), NONE, (2, 1200, 700, 2), (3, 2200, 1000, 2)),
    ("p13", "c1", at(8, 1), NONE, NONE, (3, 1500, 700, 2)),
    ("p14", "c1", at(8, 1, 0, 1000), NONE, NONE, (2, 1000, 700, 2)),
    ("p15", "c2", at(1, 1), NONE, NONE, NONE),
    ("p16", "c3", at(1, 1), NONE, NONE, NONE),
    ("p17", None, at(1, 1), None, None, None),
]
ENTITY = Entity("card", key="card_id")
VIEW = FeatureView(
    name="golden",
    spine=Spine(source="payments", row="probe_id"),
    groups=[
        FeatureGroup(
            entity=ENTITY,
            source="payments",
            windows=[hours(1), days(1), days(7)],
            measures=[count("n"), total("amount"), largest("amount"), distinct("device")],
        )
    ],
)


def events_of(spark: SparkSession) -> DataFrame:
    rows = [
        (e, key, event_at, known_at, revision, None if cents is None else Decimal(cents) / 100, device)
        for e, key, event_at, known_at, revision, cents, device in EVENTS
    ]
    return spark.createDataFrame(
        rows,
        "event_id string, card_id string, event_at timestamp, known_at timestamp, revision string, "
        "amount decimal(18,2), device string",
    )


def probes_of(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(
        [(probe, key, moment) for probe, key, moment, *_ in PROBES],
        "probe_id string, card_id string, as_of timestamp",
    )


def expected() -> dict[str, list[object]]:
    cells: dict[str, list[object]] = {}
    for probe, key, _, *windows in PROBES:
        flat: list[object] = [key is not None, None if key is None else probe not in WITHOUT_HISTORY]
        for part in range(4):
            for window in windows:
                value = None if window is None else window[part]
                money = part in {1, 2} and value is not None
                flat.append(Decimal(value) / 100 if money and value is not None else value)
        cells[probe] = flat
    return cells


def cells_of(frame: DataFrame) -> dict[str, list[object]]:
    return {row["probe_id"]: [row[name] for name in VIEW.features] for row in frame.collect()}


def built_from(events: DataFrame, probes: DataFrame) -> DataFrame:
    return build_view(VIEW, probes, {"payments": Source(events, ("event_id",))})


def test_every_cell_of_the_golden_case(spark: SparkSession) -> None:
    assert cells_of(built_from(events_of(spark), probes_of(spark))) == expected()


@pytest.mark.parametrize(
    "change", ["shuffled", "more keys", "future", "day later", "split in two", "asked twice"]
)
def test_what_must_not_matter_does_not(spark: SparkSession, change: str) -> None:
    events, probes = events_of(spark), probes_of(spark)
    if change == "shuffled":
        events = events.orderBy(F.xxhash64("event_id"))
    if change == "more keys":
        other = spark.range(20_000).select(
            F.col("id").cast("string").alias("event_id"),
            F.concat(F.lit("x"), F.col("id") % 7).alias("card_id"),
            F.lit(at(1, 0)).alias("event_at"),
            F.lit(at(1, 0)).alias("known_at"),
            F.lit(None).cast("string").alias("revision"),
            F.lit(5).cast("decimal(18,2)").alias("amount"),
            F.lit("d").alias("device"),
        )
        events = events.unionByName(other)
    if change == "future":
        events = events.unionByName(
            spark.createDataFrame(
                [("future", "c1", at(9, 0), at(9, 0), None, Decimal(10**9), "d77")], events.schema
            )
        )
    if change == "day later":
        later = F.expr("interval 24 hours")
        for name in ("event_at", "known_at"):
            events = events.withColumn(name, F.col(name) + later)
        probes = probes.withColumn("as_of", F.col("as_of") + later)
    if change == "asked twice":
        again = probes.withColumn("probe_id", F.concat("probe_id", F.lit("-again")))
        found = cells_of(built_from(events, probes.unionByName(again)))
        assert {probe.removesuffix("-again") for probe in found} == set(expected())
        assert all(cells == expected()[probe.removesuffix("-again")] for probe, cells in found.items())
        return
    built = built_from(events, probes)
    if change == "split in two":
        first, second = (probes.where(f"(probe_id < 'p3') = {side}") for side in ("true", "false"))
        built = built_from(events, first).unionByName(built_from(events, second))
    assert cells_of(built) == expected()
