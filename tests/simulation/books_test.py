"""The platform's own books: the ledger balances, and accounts change as their owners and the law have it."""

from __future__ import annotations

import numpy as np
import pytest

from simulation.columns import take
from simulation.delivery import deliver
from simulation.guilt import typology_of
from simulation.records import records
from simulation.settings import SimulationSettings
from simulation.user_reports import accusations
from simulation.world import World, simulate


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SimulationSettings())


def test_every_transaction_is_a_debit_and_a_credit_of_one_sum(demo: World) -> None:
    entries = demo.ledger_entries
    sign = np.where(entries["side"] == "debit", 1, -1)
    assert (np.bincount(entries["txn"]) == 2).all()
    assert not np.bincount(entries["txn"], weights=sign * entries["minor"]).any()
    approved = demo.payments["approved"]
    assert len(entries["txn"]) == 2 * (int(approved.sum()) + len(demo.payouts["ms"]))
    paid_in = (entries["kind"] == "payment") & (entries["side"] == "debit")
    assert entries["minor"][paid_in].sum() == demo.payments["minor"][approved].sum()


def test_both_entries_of_a_transaction_arrive_at_one_moment() -> None:
    settings = SimulationSettings.tiny()
    (ledger,) = (log for log in records(settings, simulate(settings)) if log.log == "ledger_entries")
    columns = deliver(settings, ledger).columns
    once = np.unique(columns["entry_id"].astype(str), return_index=True)[1]
    arrivals: dict[str, set[str]] = {}
    for txn, arrived in zip(
        columns["txn_id"][once].tolist(), columns["ingest_ts"][once].tolist(), strict=True
    ):
        arrivals.setdefault(txn, set()).add(arrived)
    assert {len(moments) for moments in arrivals.values()} == {1}


def test_every_account_begins_with_its_insert_and_the_order_of_changes_is_that_of_time(demo: World) -> None:
    rows = demo.account_changes
    assert (np.diff(rows["lsn"]) > 0).all()
    assert (np.diff(rows["ms"]) >= 0).all()
    begun = demo.accounts["signup_ms"] < SimulationSettings().end_ms
    inserted = rows["account"][rows["op"] == "I"]
    assert sorted(inserted.tolist()) == demo.accounts["account"][begun].tolist()
    first = np.unique(rows["account"], return_index=True)[1]
    assert set(rows["op"][first].tolist()) == {"I"}


def test_nobody_logs_in_once_suspended_for_good(demo: World) -> None:
    rows = demo.account_changes
    last = np.unique(rows["account"][::-1], return_index=True)
    final = rows["status"][::-1][last[1]]
    banned = last[0][final == "suspended"]
    since = np.full(len(demo.accounts["account"]), np.iinfo(np.int64).max)
    change = take(rows, rows["status"] == "suspended")
    since[banned] = 0
    np.maximum.at(since, change["account"], np.where(np.isin(change["account"], banned), change["ms"], 0))
    assert len(banned) > 100
    assert (demo.logins["ms"] < since[demo.logins["account"]]).all()


def test_nobody_acts_after_closing_the_account(demo: World) -> None:
    rows = demo.account_changes
    closed = (rows["status"] == "closed") & (rows["op"] != "D")
    at = np.full(len(demo.accounts["account"]), np.iinfo(np.int64).max)
    at[rows["account"][closed]] = rows["ms"][closed]
    assert 100 < int(closed.sum()) < len(at) / 10
    assert (demo.payments["ms"] <= at[demo.payments["payer"]]).all()
    assert (demo.payments["ms"] <= at[demo.payments["payee"]]).all()
    assert (demo.logins["ms"] <= at[demo.logins["account"]]).all()
    assert (demo.job_posts["ms"] <= at[demo.job_posts["client"]]).all()
    assert (demo.reviews["ms"] <= at[demo.reviews["reviewer"]]).all()
    assert (demo.time_logs["ms"] <= at[demo.time_logs["freelancer"]]).all()
    after = take(rows, rows["ms"] > at[rows["account"]])
    assert set(after["op"].tolist()) == {"D"}


def test_most_of_the_suspended_came_to_defraud_and_none_but_returners_is_before_it_is_accused(
    demo: World,
) -> None:
    rows = take(demo.account_changes, demo.account_changes["status"] == "suspended")
    guilty = typology_of(demo.accounts, demo.payments, demo.job_posts, demo.messages) != ""
    rows = take(rows, demo.accounts["typology"][rows["account"]] != "T11")
    who = np.unique(rows["account"])
    assert len(who) > 100
    assert 0.8 < guilty[who].mean() < 1.0
    accused = accusations(demo.user_reports, demo.disputes)
    first = np.full(len(guilty), np.iinfo(np.int64).max)
    np.minimum.at(first, accused["account"], accused["ms"])
    assert (rows["ms"] > first[rows["account"]]).all()
