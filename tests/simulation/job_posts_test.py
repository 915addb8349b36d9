"""Job posts: who solicits, how it reads, who reports it, and who looks guilty without being so."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np
import pytest

from simulation.columns import Columns, take
from simulation.settings import SimulationSettings
from simulation.text.disguise import DIGITS, KINDS, disguised, phone_text
from simulation.text.spinning import luck, spin
from simulation.world import World, simulate

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MESSENGERS = re.compile("telegram|whatsapp|signal|discord")


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SimulationSettings())


def scams(world: World) -> Columns:
    return take(world.job_posts, world.job_posts["is_fraud"])


def test_nearly_one_post_in_a_hundred_solicits_above_the_usual_pay(demo: World) -> None:
    posts = demo.job_posts
    assert 0.004 < posts["is_fraud"].mean() < 0.012
    paid = [np.median(posts["minor"][posts["is_fraud"] == fraud]) for fraud in (False, True)]
    assert paid[1] > 1.5 * paid[0]


def test_solicitors_are_new_accounts_that_move_no_money(demo: World) -> None:
    posts, accounts = scams(demo), demo.accounts
    who = np.unique(posts["client"])
    assert not np.isin(who, np.union1d(demo.payments["payer"], demo.payments["payee"])).any()
    assert (accounts["signup_ms"][posts["client"]] < posts["ms"]).all()
    assert np.median(posts["ms"] - accounts["signup_ms"][posts["client"]]) < 10 * DAY_MS


def test_every_post_is_made_after_the_sign_up_and_before_the_payments_of_its_contract(demo: World) -> None:
    posts = demo.job_posts
    assert (demo.accounts["signup_ms"][posts["client"]] <= posts["ms"]).all()
    first = dict(zip(*np.unique(demo.payments["contract"], return_index=True), strict=True))
    for contract, at in zip(posts["contract"].tolist(), posts["ms"].tolist(), strict=True):
        assert contract < 0 or at <= demo.payments["ms"][first[contract]]


def test_posts_of_a_campaign_vary_one_text_and_share_one_phone(demo: World) -> None:
    words = {word: str(number) for number, word in enumerate(DIGITS)}
    by_phone: defaultdict[str, set[str]] = defaultdict(set)
    accounts: defaultdict[str, set[int]] = defaultdict(set)
    posts = scams(demo)
    for client, text in zip(posts["client"].tolist(), posts["description"].tolist(), strict=True):
        digits = re.sub("|".join(words), lambda found: words[found[0]], text.replace("one place", ""))
        phone = re.search(r"(?:\d[ .]?){10}", digits)
        if phone is not None:
            by_phone[re.sub(r"\D", "", phone[0])].add(text)
            accounts[re.sub(r"\D", "", phone[0])].add(client)
    assert max(map(len, by_phone.values())) >= 5
    assert max(map(len, accounts.values())) >= 3


def test_a_messenger_named_in_plain_words_is_no_proof(demo: World) -> None:
    posts = demo.job_posts
    plain = np.array([bool(MESSENGERS.search(text.lower())) for text in posts["description"].tolist()])
    assert 0.1 < plain[posts["is_fraud"]].mean() < 0.6
    assert posts["is_fraud"][plain].mean() < 0.2


def test_there_are_twenty_honest_look_alikes_for_every_soliciting_post(demo: World) -> None:
    hints = re.compile("telegram|whatsapp|discord|phone|cheque|easy|simple|scams|urgent|asap", re.IGNORECASE)
    honest = take(demo.job_posts, ~demo.job_posts["is_fraud"])
    alike = sum(bool(hints.search(text)) for text in honest["description"].tolist())
    assert alike >= 20 * len(scams(demo)["ms"])


def test_solicitations_are_reported_within_two_days_and_a_quarter_never(demo: World) -> None:
    reports = take(demo.user_reports, demo.user_reports["target_type"] == "job_post")
    posts = demo.job_posts
    delay = reports["ms"] - posts["ms"][reports["target"]]
    of_scam = posts["is_fraud"][reports["target"]]
    assert (delay[of_scam] >= 2 * HOUR_MS).all()
    assert (delay[of_scam] <= 48 * HOUR_MS).all()
    assert 0.1 < 1 - np.isin(scams(demo)["post"], reports["target"]).mean() < 0.4
    called = reports["reason_code"] == "scam"
    assert 5 < int((called & ~of_scam).sum()) < int((called & of_scam).sum())


def test_nobody_reports_before_signing_up(demo: World) -> None:
    reports = demo.user_reports
    assert (demo.accounts["signup_ms"][reports["reporter"]] < reports["ms"]).all()


def test_without_solicitors_wanted_nobody_solicits() -> None:
    settings = SimulationSettings.tiny()
    fraud = settings.fraud.model_copy(update={"soliciting_posts": 0.0})
    assert not simulate(settings.model_copy(update={"fraud": fraud})).job_posts["is_fraud"].any()


def test_a_phrase_stands_for_all_its_choices() -> None:
    draws = luck(np.random.default_rng(1))
    made = {spin("{a|b {c|d}}!", draws) for _ in range(100)}
    assert made == {"a!", "b c!", "b d!"}


def test_a_word_is_disguised_in_as_many_ways_as_there_are() -> None:
    draws = luck(np.random.default_rng(1))
    made = {disguised("telegram", draws) for _ in range(200)}
    assert len(made) == len(KINDS)
    assert {"telegram", "t e l e g r a m", "t3l3gr@m"} <= made


def test_a_phone_number_is_written_in_four_ways() -> None:
    draws = luck(np.random.default_rng(1))
    made = {phone_text("2125550142", draws) for _ in range(100)}
    in_words = "two one two five five five zero one four two"
    assert made == {"2125550142", "212 555 0142", "212.555.0142", in_words}
