"""Contracts of raw logs: what they may say, and where their files' days stand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql.types import DecimalType

from lake.contracts import Contract, Files, Lag, read_contracts
from lake.errors import ConfigError

GOOD = """\
log: payments
description: Payments
files: {pattern: "payments/{day}.csv.gz", format: csv}
key: [payment_id]
event_at: TS
known_at: {lag: 2d}
columns:
  payment_id: {type: string, from: ID}
  amount: {type: "decimal(18,2)", min: 0, unit: USD, description: Amount paid}
"""


def write(folder: Path, text: str, name: str = "contract.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(*paths: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_contracts([str(path) for path in paths])
    return list(caught.value.mistakes)


def test_a_contract_says_what_its_event_table_holds(tmp_path: Path) -> None:
    contract = read_contracts([str(write(tmp_path, GOOD))])["payments"]
    assert contract.table == "events_payments"
    assert contract.known_at == Lag(lag=timedelta(days=2))
    assert contract.source_columns == ("TS", "ID", "amount")
    names = ["event_at", "known_at", "told_at", "payment_id", "amount", "source_file", "ingest_batch"]
    assert contract.event_schema.fieldNames() == names
    assert contract.event_schema["amount"].dataType == DecimalType(18, 2)
    assert contract.event_schema["amount"].metadata == {"comment": "Amount paid [USD]"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[payment_id]",
            "[id, payment_id]",
            ":1: the document: key names id; columns are payment_id, amount",
        ),
        ("[payment_id]", "[]", ":1: the document: key names nothing; columns are payment_id, amount"),
        ("amount:", "known_at:", ":1: the document: the platform adds known_at itself; remove or rename"),
        ("{day}", "day", ":3: files: expected {day} exactly once in the pattern"),
        ("{day}", "{day}/{day}", "expected {day} exactly once"),
        ("format: csv", "format: csv, delivered_on: 2026-03-01", "for files without one give `delivered_on`"),
        ("format: csv", "format: csv, header: [a, b, a]", "header names a column twice: a, b, a"),
        ("format: csv", "format: json, header: [a]", "only CSV files have a header"),
        (
            "event_at: TS",
            "version: 2",
            "give event_at, the raw column of the time, or all_at for rows without one",
        ),
        (
            "event_at: TS",
            'event_at: TS\nall_at: "2026-03-01T00:00:00Z"',
            "give event_at, the raw column of the time, or",
        ),
        ("decimal(18,2)", "money", ":9: columns.amount.type: found 'money'; String should match pattern"),
        (
            "decimal(18,2)",
            "decimal(39,2)",
            ":9: columns.amount.type: found 'decimal(39,2)'; a decimal has 1 to 38",
        ),
        (
            "decimal(18,2)",
            "decimal(2,3)",
            ":9: columns.amount.type: found 'decimal(2,3)'; a decimal has 1 to 38",
        ),
        (
            '"decimal(18,2)"',
            "string",
            ":9: columns.amount: min and max limit numbers, and the type is string",
        ),
        ("min: 0", "min: 5, max: 1", ":9: columns.amount: min 5 is above max 1"),
        (
            "from: ID",
            'from: [ID, "$.who.id", "$.who.old.id"]',
            ":1: the document: $.who.id, $.who.old.id: a CSV file holds no objects to look into",
        ),
        (
            "from: ID",
            'from: ["$.who"]',
            ":8: columns.payment_id.from: found ['$.who']; $.who is no path; write $.column",
        ),
        ("event_at: TS", "event_at: []", ":5: event_at: found []; an empty list names no raw column"),
        (
            '"decimal(18,2)", min: 0',
            'string, thousands: ","',
            ":9: columns.amount: thousands separates digits of numbers, and the type is string; remove it",
        ),
        (
            "from: ID}",
            "from: ID, allowed: [a], means: {A: a, B: b}}",
            ":8: columns.payment_id: means leads to b, which `allowed` does not list; add it or correct it",
        ),
        (
            "from: ID}",
            "from: ID, minor_digits: 2}",
            ":8: columns.payment_id: minor_digits makes decimals, and the type is string; make it one",
        ),
        (
            "min: 0",
            "older: [{until: 2, from: pence}]",
            ":1: the document: amount: `older` needs `schema_version`, the raw column with the version of a row",
        ),
        (
            "min: 0",
            "older: [{until: 2}, {until: 2, minor_digits: 2}]",
            ":9: columns.amount: two of `older` end with one version; keep one of them",
        ),
        ("from: ID}", 'from: ID, pattern: "(a"}', ":8: columns.payment_id.pattern: found '(a'; no regular"),
        ("from: ID}", 'from: ID, pattern: "(?P<a>b)"}', "found '(?P<a>b)'; Java has no (?P...) groups"),
        (
            "min: 0",
            'pattern: "a"',
            ":9: columns.amount: a pattern is for texts, and the type is decimal(18,2)",
        ),
        (
            "known_at:",
            "refuse: {drill: {}}\nknown_at:",
            ":6: refuse.drill: no raw field is named; name one with what it holds",
        ),
        (
            "known_at:",
            'refuse: {drill: {site: ["*", north]}}\nknown_at:',
            ":6: refuse.drill: site would fit any row; say what",
        ),
        (
            "known_at:",
            'refuse: {drill: {"$.site": north}}\nknown_at:',
            ":6: refuse.drill: $.site is no path; write $.column",
        ),
        (
            "known_at:",
            'refuse: {drill: {"$.site.kind": north}}\nknown_at:',
            ":1: the document: $.site.kind: a CSV file holds no objects to look into",
        ),
        ("2d", "2 weeks", "expected a number and a unit, such as 30s, 5m, 12h or 7d"),
        ("format: csv", "format: xml", ":3: files.format: found 'xml'; Input should be 'json' or 'csv'"),
        ("log: payments", "log: Pay-ments", ":1: log: found 'Pay-ments'; String should match pattern"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    assert any(expected in mistake and mistake.startswith(str(path)) for mistake in mistakes(path)), mistakes(
        path
    )


def test_every_mistake_of_every_document_and_file_is_told(tmp_path: Path) -> None:
    both = (
        GOOD.replace("[payment_id]", "[id]") + "---\n" + GOOD.replace("log: payments", "log: refunds\nlgo: x")
    )
    found = mistakes(write(tmp_path, both), write(tmp_path, "log: [", "broken.yml"), tmp_path / "absent.yml")
    expected = ["key names id", "unknown key lgo", "not YAML", "no such file"]
    assert all(part in mistake for part, mistake in zip(expected, found, strict=True)), found


def test_two_declarations_of_one_log_are_a_mistake(tmp_path: Path) -> None:
    first, second = write(tmp_path, GOOD, "a.yml"), write(tmp_path, GOOD, "b.yml")
    assert mistakes(first, second) == [f"{second}:1: payments is declared twice; keep one"]


def test_a_folder_gives_every_contract_in_it(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "a.yml")
    write(tmp_path, GOOD.replace("log: payments", "log: refunds"), "b.yml")
    assert list(read_contracts([str(tmp_path)])) == ["payments", "refunds"]


def test_a_folder_without_contracts_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path) == [
        f"{tmp_path}: holds no .yml file; put the contracts there or correct `contracts`"
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "day"),
    [
        ("payments/{day}.csv.gz", "payments/2026-03-01.csv.gz", "2026-03-01"),
        ("payments/{day}.csv.gz", "payments/2026-03-01.csv", None),
        ("payments/{day}.csv.gz", "refunds/2026-03-01.csv.gz", None),
        ("payments/{day}.csv.gz", "payments/2026-3-1.csv.gz", None),
        ("payments/{day}.csv.gz", "payments/2026-02-30.csv.gz", None),
        ("payments/{day}.csv.gz", "payments/2026-03-01Xcsv.gz", None),
        ("p/ingest_date={day}/*.jsonl", "p/ingest_date=2026-03-01/part-0.jsonl", "2026-03-01"),
        ("p/ingest_date={day}/*.jsonl", "p/ingest_date=2026-03-01/hour=1/part-0.jsonl", None),
        ("p/ingest_date={day}/hour=*/*.jsonl", "p/ingest_date=2026-03-01/hour=01/0.jsonl", "2026-03-01"),
        ("p/ingest_date={day}/hour=*/*.jsonl", "p/ingest_date=2026-03-01/0.jsonl", None),
    ],
)
def test_the_day_of_delivery_is_read_from_the_path(pattern: str, path: str, day: str | None) -> None:
    assert Files(pattern=pattern, format="csv").day_of(path) == day


def test_built_in_contracts_are_right() -> None:
    folder = Path(__file__).parents[2] / "conf" / "contracts"
    assert all(isinstance(contract, Contract) for contract in read_contracts([str(folder)]).values())


CHANGES = """\
log: account_changes
description: Changes of accounts
files: {pattern: "changes/{day}.jsonl", format: json}
key: [account_id, lsn]
event_at: updated_ts
known_at: {lag: 0s}
changes: {key: [account_id], order: lsn, op: op}
columns:
  account_id: {type: string, required: true}
  lsn: {type: long, required: true}
  op: {type: string, required: true, allowed: [I, U, D]}
"""
LEDGER = """\
log: ledger_entries
description: Entries
files: {pattern: "ledger/{day}.jsonl", format: json}
key: [entry_id]
event_at: booked_ts
known_at: {lag: 0s}
balance: {by: [txn_id], amount: amount_minor, side: side}
columns:
  entry_id: {type: string}
  txn_id: {type: string, required: true}
  side: {type: string, required: true, allowed: [credit, debit]}
  amount_minor: {type: long, required: true}
"""
REVISED = """\
log: disputes
description: Disputes
files: {pattern: "disputes/{day}.jsonl", format: json}
key: [message_id]
revisions: {of: [dispute_id], column: action, retraction: [void], correction: [amend]}
event_at: ts
known_at: {lag: 0s}
columns:
  message_id: {type: string}
  dispute_id: {type: string, required: true}
  action: {type: string}
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        (REVISED, "of: [dispute_id]", "of: [dispute]", "revisions.of names dispute; name columns that are"),
        (REVISED, "of: [dispute_id]", "of: []", "revisions.of names nothing; name columns that are"),
        (REVISED, "string, required: true", "string", "revisions.of names dispute_id; name columns"),
        (
            REVISED,
            "column: action",
            "column: what",
            "revisions.column names what; name a column of type `string`",
        ),
        (
            REVISED,
            "[void]",
            "[amend]",
            "revisions: list the values of `retraction` and of `correction`, each",
        ),
        (REVISED, "retraction: [void], correction: [amend]", "retraction: []", "revisions: list the values"),
        (
            REVISED,
            "key: [message_id]",
            "key: [dispute_id]",
            "key is dispute_id, which a row and its revisions",
        ),
        (
            REVISED,
            "  message_id:",
            "  revision: {type: long}\n  message_id:",
            "the platform adds revision itself",
        ),
        (
            CHANGES,
            "op: op}",
            "op: op}\nrevisions: {of: [account_id], column: op, retraction: [D]}",
            "a change log or a ledger has no revisions: a new row tells of a change",
        ),
        (CHANGES, "op: op}", "op: what}", "changes names what; name columns that are `required`"),
        (CHANGES, "{key: [account_id], order", "{key: [], order", "changes names no key; name columns"),
        (CHANGES, "{key: [account_id], order", "{order", ":7: changes.key is missing; add it"),
        (CHANGES, "long, required: true", "long", "changes names lsn; name columns that are `required`"),
        (
            CHANGES,
            "lsn: {type: long",
            "lsn: {type: string",
            "changes.order: lsn is string; expected long, timestamp",
        ),
        (
            CHANGES,
            "[I, U, D]",
            "[I, U]",
            "changes.op: `allowed` of op lacks D; list everything that a change may be",
        ),
        (
            CHANGES,
            "[account_id, lsn]",
            "[account_id]",
            "key is account_id; a change is known by account_id, lsn, so",
        ),
        (
            CHANGES,
            "columns:",
            "columns:\n  valid_to: {type: long}",
            "the dimension adds valid_to itself; rename it",
        ),
        (LEDGER, "side: side}", "side: where}", "balance names where; name columns that are `required`"),
        (LEDGER, "by: [txn_id]", "by: []", "balance names no `by`; name columns"),
        (
            LEDGER,
            "amount_minor: {type: long",
            "amount_minor: {type: double",
            "amount_minor is double; expected long",
        ),
        (
            LEDGER,
            "[credit, debit]",
            "[credit]",
            "balance.side: expected `allowed: [debit, credit]` in column side",
        ),
    ],
)
def test_a_mistake_about_what_kind_of_log_it_is_is_told_with_its_line(
    tmp_path: Path, text: str, old: str, new: str, expected: str
) -> None:
    assert read_contracts([str(write(tmp_path, text))])
    path = write(tmp_path, text.replace(old, new))
    assert [expected in mistake and mistake.startswith(f"{path}:") for mistake in mistakes(path)] == [True]
