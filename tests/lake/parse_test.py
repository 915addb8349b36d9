"""Raw text to typed columns: instants, sentinels, and the first reason to refuse a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import pytest
from pyspark.sql import Row, SparkSession

from lake.contracts import Contract
from lake.ingest.parse import BROKEN, FILE, REASON, TEXT, parse

LOG = {
    "log": "payments",
    "description": "Payments",
    "files": {"pattern": "{day}.jsonl", "format": "json"},
    "key": ["id"],
    "event_at": "ts",
    "known_at": "seen.at",
    "clock_skew": "5m",
    "late_by": "30d",
    "columns": {
        "id": {"type": "string"},
        "amount": {"type": "decimal(18,2)", "from": "paid amount", "required": True, "min": 0, "max": 1000},
        "kind": {"type": "string", "allowed": ["card", "wallet"], "unknown": ["", "n/a"]},
        "ip": {"type": "string", "pattern": r"(\d{1,3}\.){3}\d{1,3}|::1"},
        "tries": {"type": "long", "unknown": ["-1"]},
        "is_new": {"type": "boolean"},
        "score": {"type": "double", "min": 0.5},
        "opened_at": {"type": "timestamp"},
    },
}
GOOD = {
    "ts": "2026-03-01T10:00:00Z",
    "seen.at": "2026-03-01T10:00:01Z",
    "id": "p1",
    "paid amount": "12.50",
    "kind": "card",
    "ip": "10.0.0.1",
    "tries": "2",
    "is_new": "true",
    "score": "0.75",
    "opened_at": "2026-02-01",
}
CASES: list[tuple[dict[str, str | None], str | None]] = [
    ({}, None),
    ({"kind": None, "tries": None, "is_new": None, "score": None, "opened_at": None}, None),
    ({"ts": None}, "event_at_not_a_time"),
    ({"ts": "12:30"}, "event_at_not_a_time"),
    ({"ts": "yesterday"}, "event_at_not_a_time"),
    ({"ts": "2026-03-01T25:00:00Z"}, "event_at_not_a_time"),
    ({"ts": "2026-02-30"}, "event_at_not_a_time"),
    ({"seen.at": "10:00"}, "known_at_not_a_time"),
    ({"seen.at": None}, "known_at_not_a_time"),
    ({"ts": "2026-03-01T10:05:01Z"}, None),
    ({"ts": "2026-03-01T10:05:01.000001Z"}, "event_after_arrival"),
    ({"ts": "2027-03-01T10:00:00Z"}, "event_after_arrival"),
    ({"ts": "2026-01-30T10:00:01Z"}, None),
    ({"ts": "2026-01-30T10:00:00.999999Z"}, "event_too_long_before_arrival"),
    ({"ts": "2025-03-01T10:00:00Z"}, "event_too_long_before_arrival"),
    ({"id": None}, "id_missing"),
    ({"id": " "}, "id_missing"),
    ({"paid amount": None}, "amount_missing"),
    ({"paid amount": "twelve"}, "amount_not_decimal(18,2)"),
    ({"paid amount": "1,234.50"}, "amount_not_decimal(18,2)"),
    ({"paid amount": "-0.01"}, "amount_below_0"),
    ({"paid amount": "1000.01"}, "amount_above_1000"),
    ({"paid amount": " 1000 "}, None),
    ({"kind": "Card"}, "kind_not_allowed"),
    ({"kind": "n/a"}, None),
    ({"ip": "::1"}, None),
    ({"ip": None}, None),
    ({"ip": "10.0.0"}, "ip_unlike_pattern"),
    ({"ip": "10.0.0.1\n"}, "ip_unlike_pattern"),
    ({"ip": "x10.0.0.1"}, "ip_unlike_pattern"),
    ({"ip": ""}, "ip_unlike_pattern"),
    ({"tries": "1.5"}, "tries_not_long"),
    ({"tries": "9223372036854775808"}, "tries_not_long"),
    ({"tries": ""}, "tries_not_long"),
    ({"tries": "-1"}, None),
    ({"is_new": "perhaps"}, "is_new_not_boolean"),
    ({"score": "0.25"}, "score_below_0.5"),
    ({"opened_at": "12:30"}, "opened_at_not_timestamp"),
]


def instant(text: str) -> datetime:
    """UTC without saying so, as Spark's rows have it."""
    return datetime.fromisoformat(text)


def parsed(
    spark: SparkSession, contract: Contract, rows: list[Mapping[str, str | None]], *, broken: bool = False
) -> list[Row]:
    """Each row parsed, in order."""
    names = contract.source_columns
    columns = ", ".join(f"`{name}` string" for name in names)
    raw = [(*(row[name] for name in names), f"raw {n:03}", f"{n:03}", broken) for n, row in enumerate(rows)]
    frame = spark.createDataFrame(raw, f"{columns}, {TEXT} string, {FILE} string, {BROKEN} boolean")
    return parse(frame, contract, None).orderBy(FILE).collect()


def test_every_rule_refuses_with_its_own_reason_and_keeps_the_text(spark: SparkSession) -> None:
    found = parsed(spark, Contract.model_validate(LOG), [GOOD | change for change, _ in CASES])
    assert [row[REASON] for row in found] == [reason for _, reason in CASES]
    assert [row[TEXT] for row in found] == [
        None if reason is None else f"raw {n:03}" for n, (_, reason) in enumerate(CASES)
    ]


def test_a_row_that_could_not_be_split_is_refused_before_all_else(spark: SparkSession) -> None:
    found = parsed(spark, Contract.model_validate(LOG), [GOOD], broken=True)
    assert found[0][REASON] == "unparsable_row"


def test_values_are_typed_and_sentinels_become_null(spark: SparkSession) -> None:
    plain, unknown, blank = parsed(
        spark,
        Contract.model_validate(LOG),
        [GOOD, GOOD | {"kind": "n/a", "tries": "-1"}, GOOD | {"kind": ""}],
    )
    assert plain["amount"] == Decimal("12.50")
    assert (plain["kind"], plain["tries"], plain["is_new"], plain["score"]) == ("card", 2, True, 0.75)
    assert plain["opened_at"] == instant("2026-02-01")
    assert (unknown["kind"], unknown["tries"], blank["kind"]) == (None, None, None)


@pytest.mark.parametrize(
    ("time_format", "text", "expected"),
    [
        ("iso", "2026-03-01T10:00:00+02:00", "2026-03-01T08:00"),
        ("iso", "2026-03-01 10:00:00", "2026-03-01T10:00"),
        ("iso", "2026-03-01T10:00:00.123456Z", "2026-03-01T10:00:00.123456"),
        ("iso", "1700000000", None),
        ("epoch_s", "1700000000", "2023-11-14T22:13:20"),
        ("epoch_s", "1700000000.000001", "2023-11-14T22:13:20.000001"),
        ("epoch_s", "-1", "1969-12-31T23:59:59"),
        ("epoch_s", "1700000000000", None),
        ("epoch_s", "99999999999999", None),
        ("epoch_s", "2026-03-01", None),
        ("epoch_ms", "1700000000123", "2023-11-14T22:13:20.123"),
        ("epoch_ms", "9223372036854775807", None),
        ("epoch_ms", "now", None),
        ("hour_number", "0", "1970-01-01T00:00"),
        ("hour_number", "743", "1970-01-31T23:00"),
        ("day_number", "49", "1970-02-19T00:00"),
        ("day_number", "1.5", "1970-01-02T12:00"),
        ("day_number", "99999999", None),
    ],
)  # fmt: skip
def test_instants_are_utc_to_the_microsecond(
    spark: SparkSession, time_format: str, text: str, expected: str | None
) -> None:
    contract = Contract.model_validate(
        {
            "log": "t",
            "description": "",
            "files": LOG["files"],
            "key": ["id"],
            "event_at": "ts",
            "known_at": {"lag": "7d"},
            "time_format": time_format,
            "columns": {"id": {"type": "string"}},
        }
    )
    row = parsed(spark, contract, [{"ts": text, "id": "1"}])[0]
    assert row["event_at"] == (None if expected is None else instant(expected))
    assert row[REASON] == (None if expected else "event_at_not_a_time")
    if expected is not None:
        assert (row["known_at"] - row["event_at"]).total_seconds() == 7 * 86_400


DRIFTED = {
    **LOG,
    "time_format": ["iso", "epoch_ms"],
    "event_at": ["event_ts", "ts"],
    "columns": {
        "id": {"type": "string"},
        "device_id": {"type": "string", "from": ["$.device.id", "device_id", "device"], "unknown": ["-"]},
        "os": {"type": "string", "from": "$.device.soft.os"},
        "currency": {"type": "string", "allowed": ["USD", "EUR"], "means": {"US$": "USD", "usd": "USD"}},
        "amount": {"type": "decimal(18,2)", "thousands": ","},
        "opened_at": {"type": "timestamp"},
    },
}
AT_TEN = {"event_ts": "2026-03-01T10:00:00Z", "seen.at": "2026-03-01T10:00:01Z", "id": "p1"}


def test_rows_of_older_and_newer_producers_become_one_kind_of_event(spark: SparkSession) -> None:
    contract = Contract.model_validate(DRIFTED)
    assert contract.source_columns == (
        "event_ts", "ts", "seen.at", "id", "device", "device_id", "currency", "amount", "opened_at",
    )  # fmt: skip
    empty = dict.fromkeys(contract.source_columns)
    rows: list[Mapping[str, str | None]] = [
        empty | AT_TEN | {"device": "d1", "opened_at": "2026-02-01T00:00:00Z"},
        empty | AT_TEN | {"device_id": "d1", "opened_at": "1769904000000"},
        empty | AT_TEN | {"device": '{"id": "d1", "soft": {"os": "ios"}}', "device_id": "d2"},
        empty | {"ts": "1772359200000", "seen.at": "1772359201000", "id": "p1", "device": "d1"},
        empty | AT_TEN | {"device": "-"},
    ]
    found = parsed(spark, contract, rows)
    assert [row[REASON] for row in found] == [None] * len(rows)
    assert {row["event_at"] for row in found} == {instant("2026-03-01T10:00")}
    assert [row["device_id"] for row in found] == ["d1", "d1", "d1", "d1", None]
    assert [row["os"] for row in found] == [None, None, "ios", None, None]
    assert [row["opened_at"] for row in found[:2]] == [instant("2026-02-01")] * 2


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("currency", "EUR", "EUR"),
        ("currency", " usd ", "USD"),
        ("currency", "US$", "USD"),
        ("currency", "XXX", "currency_not_allowed"),
        ("currency", "Usd", "currency_not_allowed"),
        ("amount", "1,234.50", Decimal("1234.50")),
        ("amount", "-1,234,567", Decimal("-1234567.00")),
        ("amount", " 12.5 ", Decimal("12.50")),
        ("amount", "34,50", "amount_not_decimal(18,2)"),
        ("amount", "1,2345", "amount_not_decimal(18,2)"),
        ("amount", "1234,567", "amount_not_decimal(18,2)"),
        ("amount", "1.234,50", "amount_not_decimal(18,2)"),
    ],
)
def test_what_leaves_no_doubt_is_understood_and_nothing_else(
    spark: SparkSession, column: str, text: str, expected: object
) -> None:
    contract = Contract.model_validate(DRIFTED)
    row = parsed(spark, contract, [dict.fromkeys(contract.source_columns) | AT_TEN | {column: text}])[0]
    assert (row[REASON] or row[column]) == expected


AGED = {
    **LOG,
    "schema_version": "v",
    "columns": {
        "id": {"type": "string"},
        "amount": {
            "type": "decimal(18,2)",
            "required": True,
            "max": 1000,
            "older": [
                {"until": 3, "from": "amount", "minor_digits": 2},
                {"until": 1, "from": "pence", "minor_digits": 3},
            ],
        },
        "kind": {"type": "string", "allowed": ["card"], "older": [{"until": 2, "means": {"1": "card"}}]},
    },
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"v": "4", "amount": "12"}, Decimal("12.00")),
        ({"v": "3", "amount": "1234"}, Decimal("12.34")),
        ({"v": "2", "amount": " -5 "}, Decimal("-0.05")),
        ({"v": "2", "amount": "+050"}, Decimal("0.50")),
        ({"v": "3", "amount": "99999", "kind": "card"}, Decimal("999.99")),
        ({"v": "3", "amount": "100001"}, "amount_above_1000"),
        ({"v": "3", "amount": "12.5"}, "amount_not_decimal(18,2)"),
        ({"v": "3", "amount": ""}, "amount_missing"),
        ({"v": "1", "amount": "7", "pence": "1230"}, Decimal("1.23")),
        ({"v": "1", "amount": "7"}, "amount_missing"),
        ({"v": "0", "pence": "10"}, Decimal("0.01")),
        ({"v": "2", "amount": "100", "kind": "1"}, Decimal("1.00")),
        ({"v": "3", "amount": "100", "kind": "1"}, "kind_not_allowed"),
        ({"v": None, "amount": "1"}, "schema_version_not_a_number"),
        ({"v": "new", "amount": "1"}, "schema_version_not_a_number"),
    ],
)  # fmt: skip
def test_a_row_is_read_as_its_schema_version_words_it(
    spark: SparkSession, change: dict[str, str | None], expected: object
) -> None:
    contract = Contract.model_validate(AGED)
    raw = dict.fromkeys(contract.source_columns) | {k: GOOD[k] for k in ("ts", "seen.at", "id")} | change
    (row,) = parsed(spark, contract, [raw])
    assert (row[REASON] or row["amount"]) == expected
    assert row[REASON] or row["kind"] in (None, "card")


def test_rows_without_time_and_without_id_have_one_instant_and_an_id_made_of_them(
    spark: SparkSession,
) -> None:
    contract = Contract.model_validate(
        {
            "log": "t",
            "description": "",
            "files": {"pattern": "all.jsonl", "format": "json", "delivered_on": "2026-03-01"},
            "key": ["id"],
            "all_at": "2026-03-01T00:00:00Z",
            "known_at": {"lag": "1d"},
            "columns": {"id": {"type": "string", "made_of": ["a", "b"]}, "a": {"type": "string"}},
        }
    )
    told = [("x", "y"), ("x", "y"), ("xy", ""), ("xy", None), ("y", "x"), (None, "xy"), (None, None)]
    found = parsed(spark, contract, [{"a": a, "b": b} for a, b in told])
    ids = [row["id"] for row in found]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 6
    assert all(len(name) == 32 for name in ids[:-1])
    assert [row[REASON] for row in found] == [None] * 6 + ["id_missing"]
    assert {row["event_at"] for row in found} == {instant("2026-03-01")}
    assert {row["known_at"] for row in found} == {instant("2026-03-02")}
    assert contract.files.day_of("all.jsonl") == "2026-03-01"
    assert contract.files.day_of("other.jsonl") is None
