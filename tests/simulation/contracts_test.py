"""Contracts and what follows from them: escrow, hours and reviews agree with who pays whom and when."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from simulation.columns import Columns, size, take
from simulation.escrow import PLATFORM
from simulation.settings import SimulationSettings
from simulation.world import World, simulate

DAY_MS = 86_400_000
SETTINGS = SimulationSettings()


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SETTINGS)


def terms_of(world: World, contract: Columns) -> Columns:
    return take(world.contracts, np.searchsorted(world.contracts["contract"], contract["contract"]))


def test_every_payment_is_of_a_contract_between_its_two_sides_that_has_begun(demo: World) -> None:
    terms = terms_of(demo, demo.payments)
    assert (terms["contract"] == demo.payments["contract"]).all()
    assert (terms["client"] == demo.payments["payer"]).all()
    assert (terms["freelancer"] == demo.payments["payee"]).all()
    assert (terms["start_ms"] <= demo.payments["ms"]).all()
    assert (np.minimum(terms["end_ms"], SETTINGS.end_ms) >= demo.payments["ms"]).all()
    signup = demo.accounts["signup_ms"]
    assert (signup[demo.contracts["client"]] <= demo.contracts["start_ms"]).all()
    assert (signup[demo.contracts["freelancer"]] <= demo.contracts["start_ms"]).all()


def test_a_contract_begins_after_its_post_and_is_priced_as_the_post_says(demo: World) -> None:
    posted = take(demo.contracts, demo.contracts["post"] >= 0)
    posts = take(demo.job_posts, posted["post"])
    assert 0.5 < size(posted) / size(demo.contracts) < 0.9
    assert (posts["ms"] <= posted["start_ms"]).all()
    hurried = np.isin(posted["typology"], ("T1", "T2", "T3", "T6", "T7"))
    assert (posted["kind"] == posts["budget_type"])[~hurried].all()


def test_the_change_log_tells_of_every_contract_once_and_of_its_end_once(demo: World) -> None:
    rows = demo.contract_changes
    assert (np.diff(rows["lsn"]) > 0).all()
    assert (np.diff(rows["ms"]) >= 0).all()
    begun = rows["contract"][rows["op"] == "I"]
    assert sorted(begun.tolist()) == demo.contracts["contract"].tolist()
    ended = demo.contracts["contract"][demo.contracts["end_ms"] < SETTINGS.end_ms]
    assert sorted(rows["contract"][rows["op"] == "U"].tolist()) == ended.tolist()


def test_what_is_funded_is_released_or_refunded_and_never_before(demo: World) -> None:
    rows = demo.escrow_events
    funded = take(rows, rows["kind"] == "fund")
    approved = demo.payments["payment"][demo.payments["approved"]]
    assert sorted(funded["payment"].tolist()) == approved[: size(funded)].tolist()
    at = np.full(int(approved.max()) + 1, np.iinfo(np.int64).max)
    at[funded["payment"]] = funded["ms"]
    assert (rows["ms"] >= at[rows["payment"]]).all()
    released = take(rows, np.isin(rows["kind"], ("release", "auto_release")))
    assert len(np.unique(released["payment"])) == size(released)
    assert 0.9 < size(released) / size(funded) < 1.0
    assert ((released["actor"] == PLATFORM) == (released["kind"] == "auto_release")).all()
    claimed = demo.disputes["payment"][demo.disputes["kind"] == "refund_claim"]
    assert set(rows["payment"][rows["kind"] == "refund"].tolist()) <= set(claimed.tolist())


def test_nobody_withdraws_money_before_any_of_it_was_released(demo: World) -> None:
    paid = take(demo.payments, demo.payments["approved"])
    first = np.full(size(demo.accounts), np.iinfo(np.int64).max)
    np.minimum.at(first, paid["payee"], paid["released_ms"])
    hijacked = first[demo.payouts["account"]] > demo.payouts["ms"]
    assert hijacked.mean() < 0.01  # an emptied account had earned before the period


def test_time_is_logged_on_hourly_contracts_while_they_run(demo: World) -> None:
    rows, terms = demo.time_logs, terms_of(demo, demo.time_logs)
    assert set(terms["kind"].tolist()) == {"hourly"}
    assert (terms["freelancer"] == rows["freelancer"]).all()
    assert (rows["start_ms"] >= terms["start_ms"]).all()
    assert (rows["ms"] - rows["start_ms"] == rows["minutes"] * 60_000).all()


def test_padded_hours_look_padded_but_honest_people_write_hours_by_hand_too(demo: World) -> None:
    rows, padded = demo.time_logs, demo.time_logs["typology"] == "T10"
    assert 30 < len(np.unique(rows["contract"][padded])) < 200
    assert rows["minutes"][padded].mean() > 1.5 * rows["minutes"][~padded].mean()
    shots = take(rows, ~rows["manual"])
    bad = shots["typology"] == "T10"
    repeated = Counter(shots["screenshot"][bad].tolist())
    assert max(repeated.values()) > 5
    assert max(Counter(shots["screenshot"][~bad].tolist()).values()) == 1
    by_hand = np.unique(rows["contract"][rows["manual"] & ~padded])
    assert len(by_hand) > 8 * len(np.unique(rows["contract"][padded]))
    disputed = np.isin(demo.payments["payment"], demo.disputes["payment"])
    told = np.unique(
        demo.payments["contract"][disputed & np.isin(demo.payments["contract"], rows["contract"][padded])]
    )
    assert 0.1 < len(told) / len(np.unique(rows["contract"][padded])) < 0.5


def test_each_side_reviews_an_ended_contract_once_at_most(demo: World) -> None:
    rows, terms = demo.reviews, terms_of(demo, demo.reviews)
    assert (rows["ms"] > terms["end_ms"]).all()
    of_client = rows["is_of_client"]
    assert (rows["reviewed"] == np.where(of_client, terms["client"], terms["freelancer"])).all()
    assert (rows["reviewer"] == np.where(of_client, terms["freelancer"], terms["client"])).all()
    assert len(set(zip(rows["contract"].tolist(), of_client.tolist(), strict=True))) == size(rows)
    assert 4.2 < rows["stars"].mean() < 4.8
