"""``trustlake sql``: named tables and views, honest in time, to read only, and mistakes in one line."""

from __future__ import annotations

import builtins
import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lake.ingest.schemas import QUARANTINE
from operations.cli import main
from operations.sql.statements import first_word, is_blank, statements
from scoring.tables import scores

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

pytestmark = pytest.mark.minutes


def disputed(payment: str, known: datetime) -> dict[str, object]:
    return {
        "dispute_id": f"of {payment}",
        "payment_id": payment,
        "event_at": known - DAY,
        "known_at": known,
    }


@pytest.fixture(scope="module")
def asked(shared_project: Any) -> Iterator[Any]:
    """A project with payments, labels, quarantined rows and scores."""
    project, spark = shared_project, shared_project.spark
    rows = [
        ("p1", "c1", "5.00", NOON - 6 * DAY),
        ("p2", "c1", "7.25", NOON - 5 * DAY),
        ("p3", "<b>c;2</b>", "1.00", NOON - 12 * HOUR),
        ("p4", None, "9.00", NOON),
    ]
    project.add_events(
        "payments",
        [
            {"payment_id": name, "card_id": card, "amount": Decimal(amount), "event_at": at, "known_at": at + HOUR}
            for name, card, amount, at in rows
        ],
    )  # fmt: skip
    project.add_events("disputes", [disputed("p1", NOON - 3 * DAY), disputed("p4", NOON + 2 * HOUR)])
    project.lake.ensure(QUARANTINE)
    refused = [("payments", "no amount", "{}", f"payments/{n}.jsonl", "b", 1, "r", None) for n in range(3)]
    project.lake.append(QUARANTINE.name, spark.createDataFrame(refused, QUARANTINE.schema))
    spec = scores("fraud")
    project.lake.ensure(spec)
    scored = [
        (at, "p1", score, "t.fraud", 1, "d", 0, "c", "k") for at, score in ((NOON - DAY, 0.25), (NOON, 0.75))
    ]
    project.lake.append(spec.name, spark.createDataFrame(scored, spec.schema))
    yield project
    for view in spark.sql("SHOW VIEWS").collect():
        spark.catalog.dropTempView(view["viewName"])


def sql(project: Any, *arguments: str, ends: int = 0) -> str:
    """What the command prints."""
    with redirect_stdout(io.StringIO()) as said:
        assert main(["sql", "--config", project.config, *arguments]) == ends
    return said.getvalue()


def objects(project: Any, statement: str, *arguments: str) -> list[Any]:
    return [
        json.loads(line)
        for line in sql(project, "--format", "json", *arguments, "-e", statement).splitlines()
    ]


def test_a_table_shows_rows_aligned_and_says_where_there_are_more(
    asked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    said = sql(
        asked, "-e", "SELECT payment_id, amount, card_id FROM payments ORDER BY payment_id", "--limit", "3"
    )
    assert said.splitlines() == [
        "payment_id  amount  card_id",
        "----------  ------  ----------",
        "p1          5.00    c1",
        "p2          7.25    c1",
        "p3          1.00    <b>c;2</b>",
        "(3 rows)",
    ]
    assert (
        capsys.readouterr().err == "the first 3 rows; there are more: give --limit, or LIMIT in the query\n"
    )


def test_csv_and_json_hold_every_value_exactly(asked: Any) -> None:
    statement = (
        "SELECT amount, card_id, event_at, amount > 6 AS is_large, array(1, null) AS list, repeat('x', 70) AS wide,"
        " map('a', 0.5d) AS map, date'2026-03-01' AS on, double('nan') AS nan FROM payments WHERE payment_id = 'p4'"
    )
    assert objects(asked, statement) == [
        {
            "amount": "9.00",
            "card_id": None,
            "event_at": "2026-03-10T12:00:00Z",
            "is_large": True,
            "list": [1, None],
            "wide": "x" * 70,
            "map": {"a": 0.5},
            "on": "2026-03-01",
            "nan": "nan",
        }
    ]
    assert sql(asked, "--format", "csv", "-e", statement).splitlines() == [
        "amount,card_id,event_at,is_large,list,wide,map,on,nan",
        f'9.00,,2026-03-10 12:00:00,true,"[1, null]",{"x" * 70},"{{""a"": 0.5}}",2026-03-01,nan',
    ]
    assert f" {'x' * 59}… " in sql(asked, "-e", statement)


def test_views_are_made_of_contracts_and_definitions(asked: Any) -> None:
    names = [line.split()[0] for line in sql(asked, "-e", "\\d").splitlines()[2:]]
    assert names == [
        *("daily_volume", "disputes", "events_disputes", "events_payments", "label_events", "latest_scores"),
        *("payments", "payments_with_labels", "quarantine", "quarantine_by_reason", "scores_fraud"),
    ]
    assert [line.split()[:2] for line in sql(asked, "-e", "\\d payments").splitlines()[2:]] == [
        ["event_at", "timestamp"],
        ["known_at", "timestamp"],
        ["payment_id", "string"],
        ["card_id", "string"],
        ["amount", "decimal(18,2)"],
    ]
    assert objects(asked, "SELECT * FROM quarantine_by_reason") == [
        {
            "log": "payments",
            "reason": "no amount",
            "row_count": 3,
            "file_count": 3,
            "first_file": "payments/0.jsonl",
            "last_file": "payments/2.jsonl",
        }
    ]
    assert objects(asked, "SELECT row_id, score FROM latest_scores") == [{"row_id": "p1", "score": 0.75}]
    volume = "SELECT day, event_count FROM daily_volume WHERE log = 'payments' ORDER BY day"
    assert [tuple(row.values()) for row in objects(asked, volume)] == [
        ("2026-03-04", 1),
        ("2026-03-05", 1),
        ("2026-03-10", 2),
    ]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        # The newest event was known at 14:00 of the 10th; a label matures in a day.
        ([], {"p1": "fraud", "p2": "not fraud", "p3": "unknown", "p4": "fraud"}),
        (["--as-of", "2026-03-10T13:00:00"], {"p1": "fraud", "p2": "not fraud", "p3": "unknown"}),
        (["--as-of", "2026-03-07T12:00:00"], {"p1": "not fraud", "p2": "not fraud"}),
        (["--as-of", "2026-03-05T12:00:00"], {"p1": "unknown"}),
    ],
    ids=["now", "before the last payment was known", "when the label became known", "early"],
)
def test_labels_and_events_are_those_known_before_the_instant(
    asked: Any, as_of: list[str], expected: dict[str, str]
) -> None:
    found = objects(asked, "SELECT payment_id, known_label, label_state FROM payments_with_labels", *as_of)
    assert {row["payment_id"]: row["known_label"] for row in found} == expected
    assert {row["payment_id"] for row in found if row["label_state"] == "open"} == {
        name for name, label in expected.items() if label == "unknown"
    }
    told = objects(asked, "SELECT row, source, verdict FROM label_events", *as_of)
    frauds = {name for name, label in expected.items() if label == "fraud"}
    assert {row["row"] for row in told} >= frauds
    assert all((row["source"], row["verdict"]) == ("disputes", "fraud") for row in told)
    seen = objects(
        asked, "SELECT payment_id FROM events_payments UNION SELECT payment_id FROM payments", *as_of
    )
    assert {row["payment_id"] for row in seen} == expected.keys()


def test_scores_of_later_instants_are_not_seen(asked: Any) -> None:
    found = objects(asked, "SELECT score FROM latest_scores", "--as-of", "2026-03-10T12:00:00")
    assert found == [{"score": 0.25}]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {t} SELECT * FROM {t}",
        "insert overwrite directory '{folder}/out' USING parquet SELECT 1",
        "WITH a AS (SELECT * FROM {t}) INSERT INTO {t} SELECT * FROM a",
        "FROM {t} INSERT INTO {t} SELECT *",
        "/* SELECT */ DELETE FROM {t}",
        "-- SELECT\nUPDATE {t} SET amount = 0",
        "MERGE INTO {t} USING {t} AS b ON false WHEN MATCHED THEN DELETE",
        "DROP VIEW payments",
        "CREATE TABLE made USING delta AS SELECT 1 AS a",
        "CREATE TEMPORARY VIEW payments AS SELECT 1",
        "TRUNCATE TABLE {t}",
        "ALTER TABLE {t} ADD COLUMNS (b int)",
        "VACUUM {t} RETAIN 0 HOURS",
        "OPTIMIZE {t}",
        "RESTORE TABLE {t} TO VERSION AS OF 0",
        "SET spark.sql.session.timeZone = Asia/Tokyo",
        "REFRESH TABLE payments",
        "CACHE TABLE payments",
        "USE SCHEMA other",
        "EXECUTE IMMEDIATE 'DROP VIEW payments'",
        "BEGIN DROP VIEW payments; END",
        # A comment that Spark ends elsewhere than it seems.
        "-- \\\nSHOW TABLES\nDROP VIEW payments",
    ],
)
def test_a_statement_that_writes_is_refused_and_changes_nothing(
    asked: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, statement: str
) -> None:
    before = asked.versions()
    text = statement.format(t=asked.lake.place("events_payments"), folder=tmp_path)
    assert sql(asked, "-e", text, ends=3) == ""
    said = capsys.readouterr().err
    assert " would write or change something, and this reads only: SELECT, " in said
    assert said.count("\n") == 1
    assert asked.versions() == before
    assert not (tmp_path / "out").exists()
    assert asked.spark.conf.get("spark.sql.session.timeZone") == "UTC"


def test_a_statement_that_breaks_out_of_its_brackets_is_not_run(asked: Any) -> None:
    before = asked.versions()
    table = asked.lake.place("events_payments")
    sql(asked, "-e", f"SELECT 1) INSERT INTO {table} (payment_id", ends=1)
    sql(asked, "-e", f"SELECT 1) SELECT 1) INSERT INTO {table} SELECT * FROM (SELECT * FROM {table}", ends=1)
    assert asked.versions() == before


def test_an_explained_insert_is_not_run(asked: Any) -> None:
    before = asked.versions()
    table = asked.lake.place("events_payments")
    assert "Plan" in sql(asked, "-e", f"EXPLAIN INSERT INTO {table} SELECT * FROM {table}")
    assert asked.versions() == before


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT *\nFORM payments p", "Syntax error at or near 'payments' (line 2, column 6)"),
        ("SELECT 1,\n  nope FROM payments", "(line 2, column 3)"),
        ("SELECT * FROM nowhere", "[TABLE_OR_VIEW_NOT_FOUND] The table or view `nowhere` cannot be found"),
        (
            "SELECT * FROM hot_keys",
            "hot_keys is not there yet; build_features writes it once it has rows for it",
        ),
        ("SELECT (1", "[PARSE_SYNTAX_ERROR] The statement ends too early"),
        ("SELECT 'a", "[PARSE_SYNTAX_ERROR]"),
        ("SELEC 1", "[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC' (line 1, column 1)"),
        ("SELECT\n int(card_id) FROM payments", "[CAST_INVALID_INPUT]"),
        ("SELECT 1 / 0", "(line 1, column 8)"),
        ("DESCRIBE nowhere", "(line 1, column 10)"),
        ("-- what?\nDESCRIBE nowhere", "(line 2, column 10)"),
        ("SELECT count(*) AS drop FROM payments GROUP drop", "[PARSE_SYNTAX_ERROR]"),
        ("\\x", "\\x is not known; \\d lists tables and views"),
        ("\\d nowhere", "there is no table or view nowhere; there are daily_volume, "),
    ],
)
def test_a_mistake_is_one_line_with_its_place(
    asked: Any, capsys: pytest.CaptureFixture[str], statement: str, expected: str
) -> None:
    sql(asked, "-e", statement, ends=1)
    said = capsys.readouterr().err
    assert said.startswith("trustlake sql: ")
    assert expected in said
    assert said.count("\n") == 1
    assert "_statement" not in said
    assert "SQLSTATE" not in said


def test_files_and_the_standard_input_hold_statements_of_which_one_that_fails_ends_all(
    asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "two.sql"
    file.write_text(
        "SELECT 'a;b' AS `c;d`; -- ; one\n/* ; two /* ; */ */ SHOW COLUMNS IN payments;\n", encoding="utf-8"
    )
    said = sql(asked, "--format", "csv", "-f", str(file))
    assert said.splitlines() == ["c;d", "a;b", "col_name", *(
        "event_at", "known_at", "payment_id", "card_id", "amount"
    )]  # fmt: skip
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1 AS a;\nSELECT nope;\nSELECT 2 AS b"))
    assert sql(asked, "--format", "csv", ends=1) == "a\n1\n"
    assert "`nope`" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("-- what is there\n\\d\nSELECT 1 AS a;\n\\q\nSELECT nope;"))
    said = sql(asked, "--format", "csv")
    assert "daily_volume" in said
    assert said.endswith("a\n1\n")
    sql(asked, "-f", str(tmp_path / "absent.sql"), ends=1)
    assert "absent.sql cannot be read" in capsys.readouterr().err


def test_a_prompt_goes_on_after_mistakes_and_across_lines(
    asked: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = [
        "SELECT 'a;",
        None,
        "SELECT count(*) AS n",
        "FROM payments; SELECT nope;",
        "",
        "\\d payments",
        "DROP VIEW payments;",
        "\\q",
    ]
    lines, prompts = iter(typed), []

    def say(prompt: str) -> str:
        prompts.append(prompt.strip())
        line = next(lines)
        if line is None:  # Ctrl-C
            raise KeyboardInterrupt
        return line

    monkeypatch.setattr(builtins, "input", say)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    said = sql(asked)
    assert said.startswith("11 tables and views; \\d lists")
    assert "\n4\n(1 row)\n" in said
    assert "amount      decimal(18,2)\n" in said
    assert prompts == [
        "trustlake>",
        "->",
        "trustlake>",
        "->",
        "trustlake>",
        "trustlake>",
        "trustlake>",
        "trustlake>",
    ]
    errors = capsys.readouterr().err.splitlines()
    assert ["`nope`" in errors[0], errors[1].startswith("DROP would write")] == [True, True]


def test_a_lake_without_tables_and_a_wrong_limit_are_told(
    asked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = asked.write("empty.yml", "lake: {root: empty}\n")
    for elsewhere in (("--config", overlay), ("--set", "lake.root=empty")):
        sql(asked, *elsewhere, "-e", "SELECT 1", ends=1)
        assert "there is no table yet; run ingest_logs first" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["sql", "--limit", "0", "-e", "SELECT 1"])
    assert ended.value.code == 2
    assert "'0' is no number of rows; write 100" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "complete", "rest"),
    [
        ("a; b", ["a"], "b"),
        (";;a;", ["a"], ""),
        (r"SELECT 'it\'s; x'; b", [r"SELECT 'it\'s; x'"], "b"),
        (r"SELECT r'\'; b", [r"SELECT r'\'"], "b"),
        ("SELECT 'a; b", [], "SELECT 'a; b"),
        ("a /* b; c", [], "a /* b; c"),
        ('"a;b" `c;d`; -- e; f', ['"a;b" `c;d`'], "-- e; f"),
        ("/* /* ; */ ; */ x; y", ["/* /* ; */ ; */ x"], "y"),
        ("\\d\n-- one\n \\d a\nSELECT '\\d\n'; \\d b", ["\\d", "-- one\n \\d a", "SELECT '\\d\n'"], "\\d b"),
    ],
)
def test_a_statement_ends_at_a_semicolon_that_is_neither_quoted_nor_a_comment(
    text: str, complete: list[str], rest: str
) -> None:
    assert statements(text) == (complete, rest)


def test_comments_say_nothing_and_do_not_begin_a_statement() -> None:
    assert is_blank(" /* a */ -- b\n")
    assert not is_blank("/* a")
    assert first_word("/* a */ -- b\n describe x") == "DESCRIBE"
    assert first_word("(SELECT 1)") == ""
    assert first_word("-- a \\\nSHOW b\nDROP c") == "DROP"
    assert first_word("-- a\rDROP b\nSHOW c") == "DROP"
    assert first_word("/* /*+ */ DROP b /* */ */ SHOW c") == "DROP"
