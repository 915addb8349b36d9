"""What is kept of a look-up: the last change of a key, with every value as it was."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

from pyspark.sql import DataFrame, SparkSession

from features.declare import Entity, Lookup, SqlSource, days
from features.last_changes import CHANGE, KEY, KnownChanges, changes, kept_changes
from features.source import Source

PAYER = Entity("payer", key="payer_id")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL = int(AT.timestamp() * 1_000_000)
KINDS = {
    "small": "tinyint",
    "large": "bigint",
    "money": "decimal(38,18)",
    "weight": "float",
    "share": "double",
    "is_new": "boolean",
    "said": "string",
    "born_on": "date",
    "opened_at": "timestamp",
}
SAID = 'a "quoted"\\ line\nand\tmore \u0000 \u2028 \U0001f600 {}'
LONG_AGO, FAR, EPOCH = (
    datetime(1899, 12, 31, 23, 59, 59, 1, UTC),
    datetime(2099, 1, 1, 0, 0, 0, 999999, UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
)
MONEY = Decimal("12345678901234567890.123456789012345678")
FLOAT_MOST, MOST, LEAST = 3.4028234663852886e38, 1.7976931348623157e308, 5e-324
ROWS = [
    (-128, 2**63 - 1, MONEY, 0.1, 0.1 + 0.2, True, SAID, date(1, 1, 1), LONG_AGO),
    (127, -(2**63), Decimal("0E-18"), math.inf, -math.inf, False, "", date(9999, 12, 31), FAR),
    (0, 0, Decimal("-0.000000000000000001"), -0.0, LEAST, None, "null", None, EPOCH),
    (None,) * len(KINDS),
    (1, 1, Decimal(1), FLOAT_MOST, MOST, True, "NaN", date(1970, 1, 1), AT),
    (1, 1, Decimal(1), math.nan, math.nan, True, "{", date(2024, 2, 29), AT),
]


def log_of(spark: SparkSession) -> DataFrame:
    schema = ", ".join(f"{name} {kind}" for name, kind in KINDS.items())
    rows = [(f"key {number}", f"id {number}", AT, AT, *row) for number, row in enumerate(ROWS)]
    return spark.createDataFrame(
        rows, f"payer_id string, id string, event_at timestamp, known_at timestamp, {schema}"
    )


def lookup_of(context: list[str]) -> Lookup:
    return Lookup(entity=PAYER, source="users", context=context, order_by="large", stale_after=days(1))


def test_every_value_comes_back_as_it_was(spark: SparkSession) -> None:
    source = Source(log_of(spark), ("id",))
    lookup = lookup_of([*KINDS])
    kept = kept_changes(lookup, {"users": source}, UNTIL, None)
    assert kept is not None
    nothing = Source(source.rows.limit(0), ("id",))
    back = changes(lookup, {"users": nothing}, KnownChanges(UNTIL, kept))
    own = changes(lookup, {"users": source})
    assert back.schema[CHANGE].dataType.simpleString() == own.schema[CHANGE].dataType.simpleString()
    assert {row[KEY]: repr(row[CHANGE]) for row in back.collect()} == {
        row[KEY]: repr(row[CHANGE]) for row in own.collect()
    }
    assert back.count() == len(ROWS)


def test_a_value_that_json_would_change_is_read_from_the_log(spark: SparkSession) -> None:
    rows = log_of(spark).selectExpr("*", "map(small, said) AS both", "binary(said) AS raw")
    source = Source(rows, ("id",))
    assert kept_changes(lookup_of(["said"]), {"users": source}, UNTIL, None) is not None
    for column in ("both", "raw"):
        lookup = lookup_of([column])
        assert kept_changes(lookup, {"users": source}, UNTIL, None) is None
        # A state of other look-ups does not hide the log from this one.
        nothing_kept = KnownChanges(UNTIL, spark.createDataFrame([], "key string, change string"))
        assert changes(lookup, {"users": source}, nothing_kept).count() == len(ROWS)


def test_what_a_query_makes_of_logs_is_read_whole(spark: SparkSession) -> None:
    query = SqlSource(name="named_users", sql="SELECT * FROM {users}", key=["id"])
    lookup = Lookup(entity=PAYER, source=query, context=["said"])
    assert kept_changes(lookup, {"users": Source(log_of(spark), ("id",))}, UNTIL, None) is None
