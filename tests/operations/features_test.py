"""``trustlake features``: a CSV of keys and instants in, a file with every feature out; mistakes by their line."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs.build_features import BuildFeatures
from operations.cli import main

SECOND = '\nother = FeatureView(name="others", spine=view.spine, groups=[group])\n'


@pytest.fixture(scope="module")
def paid(shared_project: Any) -> Any:
    """Payments of one card, built."""
    rows = [("p1", "5.00", 10), ("p2", "1.50", 11), ("p3", "3.50", 13)]
    events = []
    for name, amount, hour in rows:
        moment = datetime(2026, 3, 1, hour, tzinfo=UTC)
        events.append(
            {
                "payment_id": name,
                "card_id": "c1",
                "amount": Decimal(amount),
                "event_at": moment,
                "known_at": moment,
            }
        )
    shared_project.add_events("payments", events)
    shared_project.work(BuildFeatures)
    return shared_project


def ask(project: Any, keys: str, out: str, *further: str) -> tuple[int, Path]:
    """The exit code for a file of keys, and the place of the answer."""
    file = project.write("keys.csv", keys)
    target = project.folder / out
    target.unlink(missing_ok=True)
    return main(
        ["features", "--config", project.config, "--keys", file, "--out", str(target), *further]
    ), target


def test_rows_come_back_in_their_order_with_every_feature(
    paid: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = "as_of,card_id,analyst\n2026-03-01T12:00:00,c1,ann\n2026-03-01T10:30:00Z,c1,\n2026-03-01T12:00:00,,bob\n"
    code, target = ask(paid, keys, "out.csv")
    assert code == 0
    assert capsys.readouterr().out == f"{target}: 3 rows, 6 features of payments\n"
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = ("payment_id", "analyst", "has_card", "amount", "card_payments_1d", "card_amount_sum_1d")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("1", "ann", "true", "", "2", "6.50"),
        ("2", "", "true", "", "1", "5.00"),
        ("3", "bob", "false", "", "", ""),
    ]


def test_a_row_that_says_all_gets_the_features_of_the_table_as_parquet(paid: Any) -> None:
    code, target = ask(
        paid,
        "payment_id,as_of,card_id,amount\np3,2026-03-01 13:00,c1,3.5\n",
        "out.parquet",
        "--view",
        "payments",
    )
    assert code == 0
    table = pq.read_table(target)
    (stored,) = paid.lake.read("features_payments").where("payment_id = 'p3'").toArrow().to_pylist()
    assert table.to_pylist() == [stored]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("as_of\n2026-03-01\n", "its first line lacks card_id, it has as_of; a key may be empty"),
        ("card_id\nc1\n", "its first line lacks as_of, it has card_id; a key may be empty"),
        (
            "as_of,card_id\nyesterday,c1\n",
            "keys.csv:2: as_of is 'yesterday', expected an instant such as 2026",
        ),
        (
            "as_of,card_id,amount\n2026-03-01,c1,1.234\n2026-03-01,c1,many\n",
            "keys.csv:3: amount is 'many', expected a number with no more digits than its contract gives it",
        ),
        ("as_of,card_id\n2026-03-01\n", "keys.csv:2: 1 cells, the header has 2"),
        ("as_of,as_of\n", "keys.csv: its first line names as_of twice; name each column there, once"),
        ("", "keys.csv: its first line is empty; name each column there, once"),
        (
            "as_of,card_id,card_payments_1d\n2026-03-01,c1,1\n",
            "bring card_payments_1d, which is computed; leave it",
        ),
    ],
    ids=["key", "as_of", "instant", "decimal", "cells", "twice", "empty", "computed"],
)
def test_a_file_that_does_not_fit_is_told_why_and_nothing_is_written(
    paid: Any, capsys: pytest.CaptureFixture[str], keys: str, told: str
) -> None:
    code, target = ask(paid, keys, "out.csv")
    assert code == 1
    assert told in capsys.readouterr().err
    assert not target.exists()


def test_of_several_views_one_is_named(paid: Any, capsys: pytest.CaptureFixture[str]) -> None:
    keys = "as_of,card_id\n2026-03-01,c1\n"
    assert ask(paid, keys, "out.csv", "--view", "payment")[0] == 1
    assert "there is no view payment; there are payments" in capsys.readouterr().err
    first = (paid.folder / "definitions.py").read_text()
    paid.write("definitions.py", first + SECOND)
    assert ask(paid, keys, "out.csv")[0] == 1
    paid.write("definitions.py", first)
    assert "there are views payments, others; name one with --view" in capsys.readouterr().err


def test_an_answer_of_another_kind_is_wrong_usage(paid: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        ask(paid, "", "out.xlsx")
    assert ended.value.code == 2
    assert "ends in neither .csv nor .parquet" in capsys.readouterr().err
