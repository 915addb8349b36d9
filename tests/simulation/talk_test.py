"""Proposals and messages: who writes to whom and when, what swindlers write (T5), and who sounds like them."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from simulation.columns import Columns, take
from simulation.settings import SimulationSettings
from simulation.world import World, simulate

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SimulationSettings())


def swindled(world: World) -> Columns:
    return take(world.messages, world.messages["is_fraud"])


def test_proposals_come_after_the_post_and_the_sign_up_one_a_freelancer(demo: World) -> None:
    bids, posts = demo.proposals, demo.job_posts
    assert (bids["ms"] > posts["ms"][bids["post"]]).all()
    assert (bids["ms"] > demo.accounts["signup_ms"][bids["freelancer"]]).all()
    assert (bids["freelancer"] != posts["client"][bids["post"]]).all()
    assert len(set(zip(bids["post"].tolist(), bids["freelancer"].tolist(), strict=True))) == len(bids["ms"])
    assert (bids["seconds_since_post"] == (bids["ms"] - posts["ms"][bids["post"]]) // 1000).all()


def test_most_of_the_hired_had_bid_before_they_were_paid(demo: World) -> None:
    bids, posts, payments = demo.proposals, demo.job_posts, demo.payments
    bid = {
        (contract, who): at
        for contract, who, at in zip(
            posts["contract"][bids["post"]].tolist(),
            bids["freelancer"].tolist(),
            bids["ms"].tolist(),
            strict=True,
        )
    }
    contract, first = np.unique(payments["contract"], return_index=True)
    posted = np.isin(contract, posts["contract"])
    hired = [
        (int(number), int(payments["payee"][row]), int(payments["ms"][row]))
        for number, row in zip(contract[posted], first[posted], strict=True)
    ]
    there = [bid.get((number, who), at + 1) <= at for number, who, at in hired]
    assert np.mean(there) > 0.7


def test_honest_freelancers_send_near_duplicates_of_their_own_letter(demo: World) -> None:
    bids = demo.proposals
    busiest = Counter(bids["freelancer"].tolist()).most_common(1)[0][0]
    letters = bids["cover_letter"][bids["freelancer"] == busiest].tolist()
    openings = {letter.split(". ")[0] for letter in letters}
    assert len(letters) > 20
    assert len(openings) < len(letters) / 4


def test_a_thread_has_two_sides_and_goes_on_in_time(demo: World) -> None:
    rows = demo.messages
    assert (rows["sender"] != rows["recipient"]).all()
    assert (np.diff(rows["ms"]) >= 0).all()
    sides = np.sort(np.stack([rows["sender"], rows["recipient"]]), axis=0).T
    pairs = {(thread, *pair) for thread, pair in zip(rows["thread"].tolist(), map(tuple, sides), strict=True)}
    assert len(pairs) == len(set(rows["thread"].tolist()))
    both = np.maximum(*(demo.accounts["signup_ms"][rows[side]] for side in ("sender", "recipient")))
    assert (both < rows["ms"]).all()


def test_swindlers_are_newcomers_without_money_or_posts_who_lead_elsewhere_soon(demo: World) -> None:
    rows, accounts = swindled(demo), demo.accounts
    share = len(set(rows["thread"].tolist())) / len(set(demo.messages["thread"].tolist()))
    assert 0.004 < share < 0.008
    leads = accounts["role"][rows["sender"]] == "client"
    who = np.unique(rows["sender"][leads])
    busy = np.concatenate([demo.payments["payer"], demo.payments["payee"], demo.job_posts["client"]])
    assert not np.isin(who, busy).any()
    assert Counter(rows["thread"].tolist()).most_common(1)[0][1] <= 5
    words = re.compile("check|cheque|fee|difference|form|double|too much", re.IGNORECASE)
    threads: dict[int, str] = {}
    for thread, body in zip(rows["thread"].tolist(), rows["body"].tolist(), strict=True):
        threads[thread] = threads.get(thread, "") + body
    assert np.mean([bool(words.search(text)) for text in threads.values()]) > 0.9


def test_there_are_twenty_honest_messages_with_their_words_for_every_swindle(demo: World) -> None:
    words = re.compile(
        "cheque|equipment|laptop|refund|form for|whatsapp|camera|microphone|call", re.IGNORECASE
    )
    honest = take(demo.messages, ~demo.messages["is_fraud"])
    alike = {
        thread
        for thread, body in zip(honest["thread"].tolist(), honest["body"].tolist(), strict=True)
        if words.search(body)
    }
    assert len(alike) >= 20 * len(set(swindled(demo)["thread"].tolist()))


def test_swindles_are_reported_by_their_victims_after_days_and_mostly_never(demo: World) -> None:
    reports = take(demo.user_reports, demo.user_reports["target_type"] == "thread")
    rows = swindled(demo)
    begins = dict(zip(rows["thread"].tolist()[::-1], rows["ms"].tolist()[::-1], strict=True))
    told = take(reports, np.isin(reports["target"], rows["thread"]))
    delay = told["ms"] - np.array([begins[thread] for thread in told["target"].tolist()])
    assert len(delay) > 3
    assert (delay >= 3 * DAY_MS).all()
    assert (delay <= 30 * DAY_MS).all()
    assert (told["reason_code"] == "scam").all()
    assert 0.4 < 1 - len(set(told["target"].tolist())) / len(begins) < 0.85


def test_without_swindlers_wanted_nobody_swindles() -> None:
    settings = SimulationSettings.tiny()
    fraud = settings.fraud.model_copy(update={"swindling_threads": 0.0})
    found = simulate(settings.model_copy(update={"fraud": fraud})).messages
    assert len(found["ms"])
    assert not found["is_fraud"].any()
