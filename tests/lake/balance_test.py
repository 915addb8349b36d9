"""Ledgers balance: a transaction enters whole or waits in quarantine, whatever is delivered twice, late or broken."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lake.ingest.balance import IMBALANCE
from lake.ingest.replay import replay_completed
from lake.tables import Lake
from tests.lake.raw_log import Log, lake_in

DECLARED = {
    "columns": {
        "id": {"type": "string", "required": True},
        "txn": {"type": "string", "required": True},
        "currency": {"type": "string", "required": True},
        "side": {"type": "string", "required": True, "allowed": ["debit", "credit"]},
        "minor": {"type": "long", "required": True},
    },
    "balance": {"by": ["txn", "currency"], "amount": "minor", "side": "side"},
    "refuse_above": 1.0,
    "days_per_batch": 1,
}


@pytest.fixture(scope="module")
def shared(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_in(_session, tmp_path_factory.mktemp("balance"))


def entry(name: str, minor: object, currency: str = "USD", *, txn: str = "", day: int = 1) -> str:
    """An entry of the transaction that its name begins with; below zero it is a credit."""
    side, amount = ("debit", minor) if not isinstance(minor, int) or minor > 0 else ("credit", -minor)
    said = {"id": name, "txn": txn or name[:-1], "currency": currency, "side": side, "minor": amount}
    return json.dumps(said | {"ts": f"2026-03-{day:02}T10:00:00Z"}) + "\n"


def test_a_transaction_that_does_not_balance_is_refused_whole(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "whole", **DECLARED)
    good = [entry("good1", 5), entry("good2", -3), entry("good3", -2)]
    copies = [entry("good1", 5), entry("off1", 7)]
    off = [entry("off1", 7), entry("off2", -6)]
    mixed = [entry("mixed1", 5), entry("mixed2", -5, "EUR")]
    huge = [
        entry("huge1", 2**63 - 1),
        entry("huge2", 2**63 - 1),
        entry("huge3", 1 - 2**63),
        entry("huge4", 1 - 2**63),
    ]
    # Without its broken pair it would balance.
    broken = [entry("broken1", 5), entry("broken2", -5), entry("broken3", "x"), entry("broken4", "x")]
    # The whole copy of an entry stands for its broken one.
    mended = [entry("mended1", 4), entry("mended2", -4), entry("mended1", "x")]
    # A copy of a refused entry does not come in its place, whatever transaction it names.
    other = [entry("other1", 9, day=1), entry("other1", 0, txn="else", day=2)]
    log.deliver(1, "".join([*good, *copies, *off, *mixed, *huge, *broken, *mended, *other]))
    (result,) = log.ingest()
    assert set(log.events()) == {
        *(f"good{n}" for n in (1, 2, 3)),
        *(f"huge{n}" for n in (1, 2, 3, 4)),
        "mended1",
        "mended2",
    }
    assert result.refused == {IMBALANCE: 3 + 2 + 2 + 2, "minor_not_long": 3}
    assert (result.rows_in, result.rows_out, result.duplicates) == (22, 9, 1)
    held = Counter(json.loads(row["text"])["id"] for row in log.quarantine() if row["reason"] == IMBALANCE)
    assert held == Counter(
        ["off1", "off1", "off2", "mixed1", "mixed2", "broken1", "broken2", "other1", "other1"]
    )


def test_the_rest_that_comes_later_brings_a_transaction_back_once(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "late", **DECLARED)
    log.deliver(1, entry("a1", 5) + entry("b1", 1) + entry("b2", -1) + entry("c1", 3))
    log.ingest()
    assert set(log.events()) == {"b1", "b2"}
    assert replay_completed(shared, str(log.folder), log.contract) == []
    # A day delivered again: the whole transaction twice, the halves twice.
    log.deliver(2, entry("a1", 5) + entry("b1", 1) + entry("a2", -5, day=2))
    (second,) = log.ingest()
    # What came in one delivery is judged by itself, and here it is whole.
    assert (second.rows_in, second.rows_out, second.duplicates) == (3, 2, 1)
    log.deliver(3, entry("c2", -2, day=3))
    log.ingest()
    log.deliver(4, entry("c3", -1, day=4) + entry("b1", 1))
    (fourth,) = log.ingest()
    assert (fourth.rows_out, fourth.duplicates, fourth.refused) == (0, 1, {IMBALANCE: 1})
    (back,) = replay_completed(shared, str(log.folder), log.contract)
    assert (back.rows_in, back.rows_out, back.duplicates, back.refused) == (4, 3, 1, {})
    assert set(log.events()) == {"a1", "a2", "b1", "b2", "c1", "c2", "c3"}
    assert log.quarantine() == []
    assert replay_completed(shared, str(log.folder), log.contract) == []


def test_any_ledger_in_any_deliveries_enters_as_plain_python_says(shared: Lake, tmp_path: Path) -> None:
    rng = random.Random(11)
    log = Log(shared, tmp_path, "random", **DECLARED)
    entries: dict[str, list[tuple[str, int]]] = {}
    for number in range(40):
        amounts = [rng.randint(1, 9) for _ in range(rng.randint(1, 3))]
        # So far off that no part of it balances.
        amounts.append(-sum(amounts) - 100 * (rng.random() < 0.2))
        entries[f"t{number}"] = [(f"t{number}-{n}", minor) for n, minor in enumerate(amounts)]
    lines = [entry(name, minor, txn=txn) for txn, some in entries.items() for name, minor in some]
    sent = [*lines, *rng.sample(lines, 25)]
    rng.shuffle(sent)
    for day in (1, 2, 3):
        log.deliver(day, "".join(sent[day - 1 :: 3]))
    results = log.ingest()
    (back,) = replay_completed(shared, str(log.folder), log.contract)
    whole = {txn for txn, some in entries.items() if sum(minor for _, minor in some) == 0}
    assert set(log.events()) == {name for txn in whole for name, _ in entries[txn]}
    held = log.quarantine()
    assert {json.loads(row["text"])["txn"] for row in held} == set(entries) - whole
    came = sum(result.rows_in for result in results)
    assert (
        came
        == sum(result.rows_out + result.duplicates for result in (*results, back)) + len(held)
        == len(sent)
    )
