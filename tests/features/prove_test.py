"""What the proofs stand on: which rows are proved, what is planted before them, and whom they blame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    TimestampType,
)

from features.prove.absurd import absurd, identifier
from features.prove.builder import prove_builder
from features.prove.relation import Relation
from features.prove.report import Report
from features.prove.sample import choose
from features.prove.subject import Build
from features.source import Source
from lake.errors import SchemaError, TrustlakeError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPINE = "row_id string, card_id string, as_of timestamp"
EVENTS = "id string, card_id string, event_at timestamp, known_at timestamp, amount decimal(18,2)"
BY_CARD = Relation("payments", ("card_id",), ("card_id",))
KNOWN = "event_at < as_of AND known_at < as_of"

Event = tuple[str, str | None, datetime, datetime, Decimal]
Described = tuple[str, str | None, datetime]
ROW: Described = ("r", "c", NOON)


def paid(name: str, hour: float, known: float | None = None, cents: int = 100) -> Event:
    """A payment of card c; times in hours from noon."""
    later = hour if known is None else known
    return name, "c", NOON + hour * HOUR, NOON + later * HOUR, Decimal(cents) / 100


def sums(condition: str) -> Build:
    """Sum and number of the card's payments for which a condition over row and payment holds."""

    def build(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        value = F.sum(F.when(F.expr(condition), F.col("amount"))).alias("paid")
        number = F.count_if(F.expr(condition)).alias("number")
        rows = sources["payments"].rows
        return spine.join(rows, on="card_id", how="left").groupBy("row_id").agg(value, number)

    return build


def proved(
    spark: SparkSession, build: Build, events: Sequence[Event], rows: Sequence[Described] = (ROW,)
) -> Report:
    spine = spark.createDataFrame(list(rows), SPINE).coalesce(1)
    source = Source(spark.createDataFrame(list(events), EVENTS).coalesce(1), ("id",))
    return prove_builder(
        build, spine, {"payments": source}, row="row_id", features=["paid", "number"], relations=[BY_CARD]
    )


def test_the_one_row_of_many_that_moves_a_value_is_named_for_each_feature_it_moves(
    spark: SparkSession,
) -> None:
    late = [paid(f"late {n}", -2, n, 9900 if n == 4 else 100) for n in range(1, 7)]
    leaky = sums("event_at < as_of AND (known_at < as_of OR amount > 50)")
    report = proved(spark, leaky, [paid("seen", -1), *late])
    found = {finding.feature: finding for finding in report.leaks if finding.proof == "truncation"}
    assert found.keys() == {"paid", "number"}
    assert (found["paid"].expected, found["paid"].found) == ("1.00", "100.00")
    assert (found["number"].expected, found["number"].found) == ("1", "2")
    for finding in found.values():
        assert finding.event is not None
        assert (finding.row_id, finding.event.row_id) == ("r", "late 4")
        assert (finding.event.event_at, finding.event.known_at) == (NOON - 2 * HOUR, NOON + 4 * HOUR)
    assert str(found["paid"]) == (
        "truncation: paid of row r as of 2026-03-01 12:00:00: found 100.00, expected 1.00. Source event: payments "
        "late 4 (happened 2026-03-01 10:00:00, known 2026-03-01 16:00:00). That was not known before as_of: join on "
        "known_at < as_of, as well as on event_at < as_of"
    )


@pytest.mark.parametrize(
    "condition",
    [
        "event_at <= as_of AND known_at <= as_of",
        "event_at < as_of AND known_at <= as_of",
        "event_at <= as_of AND known_at < as_of",
    ],
)
def test_a_tie_is_found_though_no_row_of_the_source_is_of_the_instant(
    spark: SparkSession, condition: str
) -> None:
    report = proved(spark, sums(condition), [paid("a", -1)])
    assert {finding.proof for finding in report.leaks} == {"tie"}
    (first, *_) = report.leaks
    assert first.event is not None
    assert first.event.row_id.startswith("canary r ")
    assert NOON in {first.event.event_at, first.event.known_at}


def test_a_revision_that_counts_too_soon_is_found_though_none_ever_came(spark: SparkSession) -> None:
    def build(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        rows = sources["payments"].rows
        last = rows.groupBy("id", "card_id").agg(
            F.max_by("amount", "known_at").alias("amount"),
            F.min("event_at").alias("event_at"),
            F.min("known_at").alias("known_at"),
        )
        return sums(KNOWN)(spine, {"payments": Source(last, ("id",))})

    spine = spark.createDataFrame([ROW], SPINE)
    rows = spark.createDataFrame([paid("a", -1)], EVENTS).withColumn("revision", F.lit(None).cast("string"))
    report = prove_builder(
        build, spine, {"payments": Source(rows, ("id",))},
        row="row_id", features=["paid"], relations=[BY_CARD],
    )  # fmt: skip
    found = {finding.proof: finding for finding in report.leaks}
    assert found.keys() == {"canary", "tie"}
    assert {finding.event.row_id for finding in found.values() if finding.event} == {"a"}
    assert {(finding.expected, finding.found) for finding in found.values()} == {("1.00", "999999999.00")}


def test_rows_without_a_key_are_proved_with_the_others(spark: SparkSession) -> None:
    rows: list[Described] = [ROW, ("no card", None, NOON), ("another", "d", NOON + HOUR)]
    report = proved(spark, sums(KNOWN), [paid("a", -1)], rows)
    assert [(made.proof, made.rows, made.why_not) for made in report.made] == [
        ("truncation", 3, ""),
        ("canary", 3, ""),
        ("tie", 3, ""),
        ("embargo", 0, "no label"),
        ("suspicion", 0, "no label"),
    ]
    assert report.findings == ()


def test_an_empty_spine_proves_nothing_and_says_so(spark: SparkSession) -> None:
    spine = spark.createDataFrame([], SPINE)
    source = Source(spark.createDataFrame([], EVENTS), ("id",))
    report = prove_builder(
        sums(KNOWN), spine, {"payments": source}, row="row_id", features=["paid"], relations=[BY_CARD]
    )
    assert list(report.lines())[:3] == [
        f"{proof} not made: there are no rows" for proof in ("truncation", "canary", "tie")
    ]


def test_a_source_that_is_absent_or_lacks_a_column_is_told_before_anything_is_built(
    spark: SparkSession,
) -> None:
    def proving(sources: Mapping[str, Source]) -> Report:
        spine = spark.createDataFrame([ROW], SPINE)
        return prove_builder(
            sums(KNOWN), spine, sources, row="row_id", features=["paid"], relations=[BY_CARD]
        )

    with pytest.raises(
        SchemaError, match="there is no source payments, but rows are related by it; there are none"
    ):
        proving({})
    rows = spark.createDataFrame([paid("a", -1)], EVENTS).drop("known_at")
    with pytest.raises(SchemaError, match="payments lacks known_at; it has id, card_id, event_at, amount"):
        proving({"payments": Source(rows, ("id",))})


def test_a_function_that_gives_a_row_twice_or_lacks_a_feature_is_told(spark: SparkSession) -> None:
    def twice(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        built = sums(KNOWN)(spine, sources)
        return built.unionByName(built)

    with pytest.raises(TrustlakeError, match="2 rows were built for 1 different row_id"):
        proved(spark, twice, [paid("a", -1)])
    with pytest.raises(SchemaError, match="what was built lacks number; it has row_id, paid"):
        proved(spark, lambda spine, sources: sums(KNOWN)(spine, sources).drop("number"), [paid("a", -1)])


def test_no_two_proved_rows_share_a_key_and_the_same_are_chosen_again(spark: SparkSession) -> None:
    rows = [(f"r{n}", f"c{n % 7}" if n % 10 else None, NOON + n * HOUR) for n in range(60)]
    spine = spark.createDataFrame(rows, SPINE)
    chosen = choose(spine, "row_id", [BY_CARD], 30)
    cards = [str(one.keys["card_id"]) for one in chosen if one.keys["card_id"] is not None]
    assert sorted(cards) == sorted({f"c{n}" for n in range(7)})
    assert len(chosen) == 7 + 6
    assert choose(spine.repartition(3), "row_id", [BY_CARD], 30) == chosen
    assert [one.as_of for one in chosen] == [NOON + int(one.row_id[1:]) * HOUR for one in chosen]
    assert len(choose(spine, "row_id", [BY_CARD], 5)) == 5


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (DecimalType(18, 2), Decimal(999_999_999)),
        (DecimalType(5, 2), Decimal(999)),
        (DecimalType(38, 18), Decimal(0)),
        (LongType(), 10**9),
        (IntegerType(), 10**9),
        (ShortType(), 30_000),
        (DoubleType(), 1e9),
        (BooleanType(), "as it is"),
        (StringType(), "as it is"),
        (TimestampType(), "as it is"),
    ],
)
def test_planted_numbers_are_absurd_and_still_of_their_type(kind: DataType, expected: object) -> None:
    assert absurd(kind, "as it is") == expected


def test_planted_ids_are_no_real_ones() -> None:
    assert identifier(StringType(), "canary r 5", 5, "x") == "canary r 5"
    assert identifier(LongType(), "canary r 5", 5, 17) == -6
    assert identifier(TimestampType(), "canary r 5", 5, NOON) == NOON
