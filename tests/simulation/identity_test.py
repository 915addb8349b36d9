"""What people hold and who they are agrees with what they do: cards, profiles, firms, checks, measures, devices."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from simulation.columns import Array, Columns, size, take
from simulation.referrals import invited_by_itself
from simulation.settings import SimulationSettings
from simulation.world import World, simulate

DAY_MS = 86_400_000
SETTINGS = SimulationSettings()


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SETTINGS)


def tenures(changes: Columns, what: str) -> dict[tuple[int, int], tuple[int, int]]:
    """From when until when each account held each thing; the end of the period where it still does."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for thing, account, ms, op in zip(
        *(changes[name].tolist() for name in (what, "account", "ms", "op")), strict=True
    ):
        if op == "I":
            assert (thing, account) not in found
            found[thing, account] = (ms, SETTINGS.end_ms)
        else:
            found[thing, account] = (found[thing, account][0], ms)
    return found


@pytest.mark.parametrize(
    ("log", "what", "uses", "who"),
    [
        ("instrument_changes", "instrument", "payments", "payer"),
        ("payout_method_changes", "method", "payouts", "account"),
    ],
)
def test_who_uses_a_card_or_a_payout_method_holds_it_at_that_moment(
    demo: World, log: str, what: str, uses: str, who: str
) -> None:
    changes, used = getattr(demo, log), getattr(demo, uses)
    used = take(used, used["ms"] < SETTINGS.end_ms)
    assert (np.diff(changes["lsn"]) > 0).all()
    assert (np.diff(changes["ms"]) >= 0).all()
    held = tenures(changes, what)
    assert set(held) >= set(zip(used[what].tolist(), used[who].tolist(), strict=True))
    for thing, account, ms in zip(*(used[name].tolist() for name in (what, who, "ms")), strict=True):
        since, until = held[thing, account]
        assert since <= ms <= until
    added = take(changes, changes["op"] == "I")
    assert (added["ms"] >= np.minimum(demo.accounts["signup_ms"][added["account"]], added["first_ms"])).all()


def test_stolen_cards_are_added_minutes_before_they_pay_and_honest_newcomers_do_so_too(demo: World) -> None:
    added = take(demo.instrument_changes, demo.instrument_changes["op"] == "I")
    minutes = (added["first_ms"] - added["ms"]) / 60_000
    first = take(demo.payments, added["row"])
    stolen = first["is_fraud"] & np.isin(first["typology"], ("T1", "T2"))
    assert np.median(minutes[stolen]) < 15
    hasty = ~first["is_fraud"] & (minutes < 60)
    assert hasty.sum() > stolen.sum()


def test_cards_tried_in_one_run_mostly_have_the_same_first_digits(demo: World) -> None:
    added = take(demo.instrument_changes, demo.instrument_changes["op"] == "I")
    tested = take(demo.payments, added["row"])["typology"] == "T2"
    banks: dict[int, list[int]] = defaultdict(list)
    for account, first_digits in zip(
        added["account"][tested].tolist(), added["bin"][tested].tolist(), strict=True
    ):
        banks[account].append(first_digits)
    tries = [found for found in banks.values() if len(found) >= 8]
    assert np.mean([max(Counter(found).values()) / len(found) for found in tries]) > 0.25
    assert len(np.unique(added["bin"][~tested])) > 200


def test_an_emptied_account_gets_a_method_in_the_name_of_a_stranger(demo: World) -> None:
    rows = take(demo.payout_method_changes, demo.payout_method_changes["op"] == "I")
    strange = rows["holder"] != demo.accounts["hand"][rows["account"]]
    assert 5 < strange.sum() < 300
    assert (rows["first_ms"] - rows["ms"])[strange].mean() < 2 * DAY_MS
    farm = demo.accounts["typology"] == "T8"
    of_farms = take(rows, farm[rows["account"]])
    assert len(np.unique(of_farms["holder"])) < len(np.unique(of_farms["account"]))


def verified(world: World) -> Array:
    """Accounts whose change log says that documents were checked."""
    rows = world.account_changes
    return np.unique(rows["account"][rows["kyc_level"] == 2])


def test_exactly_the_verified_passed_every_check_at_the_moment_their_level_rose(demo: World) -> None:
    rows = demo.kyc_checks
    assert (np.diff(rows["ms"]) >= 0).all()
    assert (rows["ms"] >= demo.accounts["signup_ms"][rows["account"]]).all()
    for kind in ("document", "selfie", "sanctions"):
        passed = rows["account"][(rows["kind"] == kind) & (rows["outcome"] == "pass")]
        assert len(np.unique(passed)) == len(passed)
    gone = set(verified(demo).tolist()) - set(passed.tolist())
    assert not gone
    changes = demo.account_changes
    rose = (changes["kyc_level"] == 2) & (changes["ms"] >= SETTINGS.start_ms)
    first: dict[int, int] = {}
    for account, ms in zip(changes["account"][rose].tolist(), changes["ms"][rose].tolist(), strict=True):
        first.setdefault(account, ms)
    checked = dict(zip(passed.tolist(), rows["ms"][(rows["kind"] == "sanctions")].tolist(), strict=True))
    inside = {who: ms for who, ms in checked.items() if ms >= SETTINGS.start_ms and who in first}
    assert len(inside) > 500
    assert {who: first[who] for who in inside} == inside
    failed = rows["outcome"] == "fail"
    assert (rows["reason"] != "")[failed].all()
    assert 0.1 < failed.sum() / len(passed) < 0.4


def test_some_who_return_after_a_ban_show_the_face_of_the_banned(demo: World) -> None:
    faces = take(demo.kyc_checks, demo.kyc_checks["kind"] == "selfie")
    people: dict[int, set[int]] = defaultdict(set)
    for person, account in zip(faces["person"].tolist(), faces["account"].tolist(), strict=True):
        people[person].add(account)
    typology = demo.accounts["typology"]
    shared = {account for accounts in people.values() if len(accounts) > 1 for account in accounts}
    assert {"T11"} <= set(typology[sorted(shared)].tolist())
    rented = faces["account"][typology[faces["account"]] == "T8"]
    assert len(rented) > 3
    assert not set(rented.tolist()) & shared


def test_measures_are_those_the_change_log_of_accounts_shows(demo: World) -> None:
    actions, changes = demo.enforcement_actions, demo.account_changes
    assert (np.diff(actions["ms"]) >= 0).all()
    last_seen = {"restrict": "restricted", "suspend": "suspended", "lift": "active", "reinstate": "active"}
    told = set(zip(*(changes[name].tolist() for name in ("account", "ms", "status")), strict=True))
    for account, ms, action in zip(
        *(actions[name].tolist() for name in ("account", "ms", "action")), strict=True
    ):
        if ms >= SETTINGS.start_ms:
            assert (account, ms, last_seen[action]) in told
    restricted = changes["status"] == "restricted"
    assert set(changes["account"][restricted].tolist()) <= set(
        actions["account"][actions["action"] == "restrict"].tolist()
    )
    grounds = Counter(actions["ground"].tolist())
    assert set(grounds) == {"accused", "risk_score", "linked_to_suspended", "self_referral"}
    assert set(actions["action"][actions["ground"] == "risk_score"].tolist()) <= {"restrict", "lift"}


def test_a_device_is_told_of_once_when_it_is_first_seen(demo: World) -> None:
    rows = demo.devices
    assert len(np.unique(rows["device"])) == size(rows)
    first = dict(zip(rows["device"].tolist(), rows["ms"].tolist(), strict=True))
    for used in (demo.logins, demo.payments, demo.payouts):
        inside = used["ms"] < SETTINGS.end_ms
        for device, ms in zip(used["device"][inside].tolist(), used["ms"][inside].tolist(), strict=True):
            assert first[device] <= ms


def test_emulators_test_cards_and_remote_desktops_rent_names_but_honest_people_have_both(demo: World) -> None:
    rows = demo.devices
    tested = np.unique(demo.payments["device"][demo.payments["typology"] == "T2"])
    testing = np.isin(rows["device"], tested)
    assert rows["emulator"][testing].mean() > 10 * rows["emulator"][~testing].mean()
    farm = demo.accounts["typology"][rows["account"]] == "T8"
    assert rows["remote_desktop"][farm].mean() > 0.4
    assert rows["remote_desktop"][~farm].sum() > 20 * rows["remote_desktop"][farm].sum()
    assert len(np.unique(rows["canvas"])) < size(rows) / 2


def latest_profile(world: World) -> Columns:
    """Every profile as it is at the end."""
    rows = world.profile_changes
    _, last = np.unique(rows["account"][::-1], return_index=True)
    return take(rows, size(rows) - 1 - last)


def test_every_freelancer_makes_a_profile_once_and_marks_it_when_documents_are_checked(demo: World) -> None:
    rows = demo.profile_changes
    assert (np.diff(rows["lsn"]) > 0).all()
    assert (np.diff(rows["ms"]) >= 0).all()
    made = rows["account"][rows["op"] == "I"]
    assert len(np.unique(made)) == len(made)
    assert set(made.tolist()) == set(rows["account"].tolist())
    role = demo.accounts["role"]
    assert (role[made] != "client").all()
    assert len(made) > 0.97 * (role != "client").sum()
    checked = take(demo.kyc_checks, demo.kyc_checks["kind"] == "sanctions")
    passed = dict(zip(checked["account"].tolist(), checked["ms"].tolist(), strict=True))
    for account, ms, marked in zip(
        *(rows[name].tolist() for name in ("account", "ms", "is_verified")), strict=True
    ):
        assert marked == (passed.get(account, SETTINGS.end_ms) <= ms)


def test_a_bought_profile_gets_another_name_face_and_works_when_it_is_sold(demo: World) -> None:
    rows = demo.profile_changes
    bought = np.unique(rows["account"][rows["what"] == "sold"])
    assert len(bought) >= 3
    assert (demo.accounts["typology"][bought] == "T9").all()
    works = latest_profile(demo)["works"].tolist()
    for account in bought.tolist():
        own = take(rows, rows["account"] == account)
        before, after = own["times_sold"] == 0, own["times_sold"] == 1
        for name in ("name", "photo", "works"):
            assert not set(own[name][before].tolist()) & set(own[name][after].tolist())
        assert own["rate_cents"][after].min() > own["rate_cents"][before].max()
    copied = [work for work, count in Counter(works).items() if count > 1]
    assert len(copied) > 20 * len(bought)


def test_a_farm_has_one_text_and_many_faces(demo: World) -> None:
    rows = latest_profile(demo)
    farm = take(rows, demo.accounts["typology"][rows["account"]] == "T8")
    assert len(np.unique(farm["photo"])) > 0.8 * size(farm)
    shared = Counter(text.rsplit(". ", 1)[0] for text in farm["overview"].tolist())
    assert shared.most_common(1)[0][1] >= 3


def test_who_returns_after_a_ban_shows_face_and_name_again_and_honest_people_share_faces(demo: World) -> None:
    rows, accounts = latest_profile(demo), demo.accounts
    typology, hand = accounts["typology"][rows["account"]], accounts["hand"][rows["account"]]
    again = (typology == "T11") & (hand != rows["account"]) & ~invited_by_itself(accounts)[rows["account"]]
    former = dict(zip(rows["account"].tolist(), rows["name"].tolist(), strict=True))
    returned = zip(rows["name"][again].tolist(), hand[again].tolist(), strict=True)
    known = [(name, former[old]) for name, old in returned if old in former]
    assert known
    assert all(name == old for name, old in known)
    faces = Counter(rows["photo"][typology == ""].tolist())
    assert sum(count for count in faces.values() if count > 1) > 20 * again.sum()


def test_an_office_is_one_organisation_and_shells_look_like_small_firms_and_borrow_names(demo: World) -> None:
    rows, accounts = demo.organisation_changes, demo.accounts
    tenures(rows, "organisation")
    joined = take(rows, rows["op"] == "I")
    assert (joined["ms"] > accounts["signup_ms"][joined["account"]]).all()
    office = accounts["office"][joined["account"]]
    assert (joined["organisation"] == office)[office >= 0].all()
    assert set(np.flatnonzero(accounts["office"] >= 0).tolist()) <= set(joined["account"].tolist())
    owners = take(joined, joined["member_role"] == "owner")
    assert len(np.unique(owners["organisation"])) == size(owners)
    untaxed = joined["tax_number"] < 0
    assert untaxed[joined["is_shell"]].mean() > 0.8
    assert untaxed[~joined["is_shell"]].sum() > 2 * joined["is_shell"].sum()
    names = joined["name"] != joined["organisation"]
    assert 0.3 < names[joined["is_shell"]].mean() < 0.7
    assert set(joined["name"][names].tolist()) <= set(joined["organisation"].tolist())
