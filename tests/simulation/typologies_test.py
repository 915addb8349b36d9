"""The traces of the typologies that leave few payments: T6, T8, T9, T11, and how T1 changes with time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from simulation import geography
from simulation.columns import Array, size, take
from simulation.fraud.non_delivery import FIRST_SEEN
from simulation.settings import SimulationSettings
from simulation.world import World, simulate

DAY_MS = 86_400_000
SETTINGS = SimulationSettings()


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SETTINGS)


def opened_for(world: World, typology: str) -> Array:
    return np.flatnonzero(world.accounts["typology"] == typology)


def with_fraud(**knobs: float) -> World:
    fraud = SETTINGS.fraud.model_copy(update=knobs)
    return simulate(SETTINGS.model_copy(update={"fraud": fraud}))


def test_self_dealers_pay_from_the_device_they_signed_up_on_and_praise_each_other_in_one_text(
    demo: World,
) -> None:
    paid = take(demo.payments, demo.payments["typology"] == "T6")
    assert 10 < len(np.unique(paid["payee"])) < 40
    assert not paid["is_fraud"].any()
    assert not np.isin(paid["payment"], demo.disputes["payment"]).any()
    device = demo.accounts["signup_device"]
    assert (paid["device"] == device[paid["payee"]]).mean() > 0.3
    praise = take(demo.reviews, demo.reviews["typology"] == "T6")
    assert set(praise["stars"].tolist()) == {5}
    texts: dict[int, set[str]] = {}
    for who, text in zip(praise["reviewed"].tolist(), praise["comment"].tolist(), strict=True):
        texts.setdefault(who, set()).add(text)
    assert {len(said) for said in texts.values()} == {1}


def test_rented_identities_share_a_server_a_letter_and_a_payout_method(demo: World) -> None:
    who = opened_for(demo, "T8")
    assert 10 < len(who) < 30
    hands = demo.accounts["hand"][who]
    assert len(np.unique(hands)) < len(who) / 2
    seen = take(demo.logins, np.isin(demo.logins["account"], who) & (demo.logins["ip_type"] == "hosting"))
    by_address: dict[int, set[int]] = {}
    for ip, account in zip(seen["ip"].tolist(), seen["account"].tolist(), strict=True):
        by_address.setdefault(ip, set()).add(account)
    assert max(len(accounts) for accounts in by_address.values()) >= 3
    abroad = seen["ip_country"] != demo.accounts["country"][seen["account"]]
    assert abroad.mean() > 0.5
    out = take(demo.payouts, np.isin(demo.payouts["account"], who))
    shared = Counter(
        method for method, _ in set(zip(out["method"].tolist(), out["account"].tolist(), strict=True))
    )
    assert max(shared.values()) >= 2


def test_bought_accounts_deliver_nothing_and_nobody_did_so_before_the_last_third(demo: World) -> None:
    paid = take(demo.payments, demo.payments["typology"] == "T9")
    opens = SETTINGS.start_ms + (SETTINGS.end_ms - SETTINGS.start_ms) * FIRST_SEEN
    assert paid["is_fraud"].all()
    assert (paid["ms"] >= opens).all()
    seller = np.unique(paid["payee"])
    assert (demo.accounts["typology"][seller] == "T9").all()
    assert (paid["ms"] - demo.accounts["signup_ms"][paid["payee"]] > 100 * DAY_MS).all()
    assert not demo.accounts["typology"][paid["payer"]].astype(bool).any()
    changed = demo.logins["account"][demo.logins["kind"] == "email_change"]
    assert np.isin(seller, changed).mean() > 0.9
    told = take(demo.disputes, np.isin(demo.disputes["payment"], paid["payment"]))
    assert size(told) > 5
    assert set(told["reason_code"].tolist()) <= {"not_received", "not_as_described"}
    days = (told["ms"] - told["paid_ms"]) / DAY_MS
    assert days.min() >= 10
    assert days.max() <= 45


def rings(world: World) -> dict[int, Array]:
    """The members of every ring that invites itself, by the account it began with."""
    people = world.accounts
    invited = (people["typology"] == "T11") & (people["referrer"] >= 0)
    own = invited & (people["typology"][people["referrer"]] == "T11")
    return {
        hand: np.flatnonzero((people["typology"] == "T11") & (people["hand"] == hand))
        for hand in np.unique(people["hand"][own]).tolist()
    }


def test_who_returns_after_a_ban_signs_up_later_mostly_on_a_device_the_platform_knows(demo: World) -> None:
    in_rings = np.concatenate(list(rings(demo).values()))
    who = np.setdiff1d(opened_for(demo, "T11"), in_rings)
    assert len(who) > 30
    banned = take(demo.account_changes, demo.account_changes["status"] == "suspended")
    begins = np.full(size(demo.accounts), np.iinfo(np.int64).max)
    np.minimum.at(begins, banned["account"], banned["ms"])
    earlier = np.flatnonzero(begins < np.iinfo(np.int64).max)
    known: dict[int, int] = {}
    for account in earlier.tolist():
        device = int(demo.accounts["signup_device"][account])
        known[device] = min(int(begins[account]), known.get(device, int(begins[account])))
    same = [
        known.get(int(demo.accounts["signup_device"][account]), np.iinfo(np.int64).max)
        <= demo.accounts["signup_ms"][account]
        for account in who.tolist()
    ]
    assert 0.5 < np.mean(same) < 0.9
    assert (demo.accounts["email_domain"][who] == "mailbox.example").mean() > 0.4
    devices, count = np.unique(
        demo.accounts["signup_device"][demo.accounts["typology"] == ""], return_counts=True
    )
    assert count[count > 1].sum() > 3 * len(who)  # honest people share devices too
    assert len(devices) > 1000


def test_foreign_stolen_cards_are_of_another_country_every_quarter(demo: World) -> None:
    stolen = take(demo.payments, (demo.payments["typology"] == "T1") & demo.payments["approved"])
    foreign = stolen["card_country"] != demo.accounts["country"][stolen["payer"]]
    favourites = set()
    for quarter in np.unique(stolen["ms"] // (91 * DAY_MS)):
        rows = foreign & (stolen["ms"] // (91 * DAY_MS) == quarter)
        if rows.sum() < 10:
            continue
        country, share = Counter(stolen["card_country"][rows].tolist()).most_common(1)[0]
        assert share / rows.sum() > 0.3
        favourites.add(geography.COUNTRIES[country])
    assert len(favourites) > 1


def test_a_knob_at_zero_leaves_its_typology_out() -> None:
    world = with_fraud(
        self_dealing=0.0, rented_identities=0.0, padded_contracts=0.0, returning=0.0, credit_rings=0.0
    )
    seen = {*world.accounts["typology"].tolist(), *world.contracts["typology"].tolist()}
    assert seen & {"T6", "T8", "T10", "T11"} == set()


def test_rings_invite_themselves_within_hours_and_so_do_classes_of_honest_people() -> None:
    world = with_fraud(credit_rings=0.03)
    people, found = world.accounts, rings(world)
    assert len(found) >= 10
    assert max(len(members) for members in found.values()) <= 40
    for leader, members in found.items():
        signed_up = np.sort(people["signup_ms"][members])
        assert np.median(np.diff(signed_up)) < DAY_MS / 24
        assert np.isin(people["referrer"][members[members != leader]], members).all()
        assert len(np.unique(people["signup_device"][members])) <= 1 + len(members) // 5
    crooks = np.concatenate(list(found.values()))
    assert 0.4 < (people["email_domain"][crooks] == "mailbox.example").mean() < 0.8
    honest = np.flatnonzero((people["typology"] == "") & (people["referrer"] >= 0))
    assert len(honest) > 20 * 31  # of the rings there are without a knob turned
    _, times = np.unique(people["referrer"][honest], return_counts=True)
    assert times.max() > 20
    soon = people["signup_ms"][honest] - people["signup_ms"][people["referrer"][honest]] < DAY_MS
    assert soon.sum() > 100
    assert (people["signup_ms"][people["referrer"][honest]] < people["signup_ms"][honest]).all()


def test_rings_are_shown_first_for_the_credits_they_gave_themselves_until_they_are_linked() -> None:
    world = with_fraud(credit_rings=0.03)
    moved, found = world.credit_movements, rings(world)
    crooks = np.concatenate(list(found.values()))
    theirs = take(moved, np.isin(moved["account"], crooks))
    gained = {kind: theirs["credits"][theirs["kind"] == kind].sum() for kind in np.unique(theirs["kind"])}
    assert -gained["boost"] > 0.6 * gained["referral_bonus"]
    assert gained.get("purchase", 0) < 0.2 * gained["referral_bonus"]
    actions = take(world.enforcement_actions, world.enforcement_actions["ground"] == "self_referral")
    assert set(actions["account"].tolist()) <= set(crooks.tolist())
    assert 0.4 < len(np.unique(actions["account"])) / len(crooks) < 0.95
    suspended = dict(zip(actions["account"].tolist(), actions["ms"].tolist(), strict=True))
    for bidder, ms in zip(*(world.proposals[name].tolist() for name in ("freelancer", "ms")), strict=True):
        assert ms < suspended.get(bidder, SETTINGS.end_ms)


def test_nobody_spends_credits_he_does_not_have_and_every_boost_is_paid_once(demo: World) -> None:
    moved, bids = demo.credit_movements, demo.proposals
    balance = Counter[int]()
    for account, ms, amount in zip(
        *(moved[name].tolist() for name in ("account", "ms", "credits")), strict=True
    ):
        assert ms < SETTINGS.end_ms
        balance[account] += amount
        assert balance[account] >= 0
    spent = dict(zip(moved["proposal"].tolist(), moved["credits"].tolist(), strict=True))
    boosted = take(bids, bids["boost_credits"] > 0)
    assert (moved["kind"] == "boost").sum() == size(boosted)
    for proposal, boost in zip(boosted["proposal"].tolist(), boosted["boost_credits"].tolist(), strict=True):
        assert spent[proposal] == -boost
    bonus = take(moved, moved["kind"] == "referral_bonus")
    assert len(np.unique(bonus["invited"])) == size(bonus)
    assert (demo.accounts["referrer"][bonus["invited"]] == bonus["account"]).all()
