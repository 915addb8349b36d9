"""Fraudsters charge less and wait longer because of the blocks there have been, and of nothing else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from simulation.columns import Columns, from_rows, take
from simulation.fates import NEVER, restricted_from
from simulation.fraud.actions import Attempt
from simulation.fraud.reaction import REACTING, with_reaction
from simulation.fraud.stolen_cards import run_stolen_cards
from simulation.fraud.underworld import Underworld
from simulation.population import honest_accounts
from simulation.settings import SimulationSettings
from simulation.world import World, simulate

DAY_MS = 86_400_000
SETTINGS = SimulationSettings()


@cache
def world(reaction: float, never_disputed: float = 0.08) -> World:
    knobs = {"reaction": reaction, "never_disputed": never_disputed}
    fraud = SETTINGS.fraud.model_copy(update=knobs)
    return simulate(SETTINGS.model_copy(update={"fraud": fraud}))


def frauds(of: World, typology: str) -> Columns:
    return take(of.payments, of.payments["is_fraud"] & (of.payments["typology"] == typology))


@pytest.mark.parametrize("typology", REACTING)
def test_where_accounts_are_blocked_their_kind_charges_less_and_waits_longer(typology: str) -> None:
    calm, wary = frauds(world(0.0), typology), frauds(world(1.5), typology)
    first = [rows["ms"].min() for rows in (calm, wary)]
    assert first[0] == first[1]  # nobody was blocked before the first of them
    level = [np.log(rows["minor"]).mean() for rows in (calm, wary)]
    assert level[1] < level[0] - 0.2
    assert mean_pause(wary) > 1.2 * mean_pause(calm)


def mean_pause(rows: Columns) -> float:
    order = np.lexsort((rows["ms"], rows["payer"]))
    pauses = np.diff(rows["ms"][order])[np.diff(rows["payer"][order]) == 0]
    return float(pauses[pauses < 30 * DAY_MS].mean())


@pytest.mark.parametrize("typology", ["T7", "T9"])
def test_who_is_hardly_ever_blocked_goes_on_as_before(typology: str) -> None:
    calm, wary = frauds(world(0.0), typology), frauds(world(1.5), typology)
    assert calm["minor"].tolist() == wary["minor"].tolist()
    assert calm["ms"].tolist() == wary["ms"].tolist()


def test_where_nobody_is_blocked_nobody_reacts() -> None:
    calm, fearless = world(0.0, never_disputed=1.0), world(1.5, never_disputed=1.0)
    for name in ("ms", "minor"):
        assert calm.payments[name].tolist() == fearless.payments[name].tolist()


@pytest.fixture(scope="module")
def attempts() -> Columns:
    under = Underworld(SETTINGS, honest_accounts(SETTINGS))
    run_stolen_cards(under, 400)
    made = from_rows(under.attempts, Attempt)
    return take(made, made["is_fraud"])


def test_what_begins_later_changes_nothing_of_what_was_done_before(attempts: Columns) -> None:
    settings = SETTINGS.model_copy(update={"fraud": SETTINGS.fraud.model_copy(update={"reaction": 1.5})})
    whole = with_reaction(settings, attempts)
    begins = np.full(int(attempts["payer"].max()) + 1, NEVER)
    np.minimum.at(begins, attempts["payer"], attempts["ms"])
    for share in (0.3, 0.7):
        until = int(np.quantile(attempts["ms"], share))
        early = begins[attempts["payer"]] < until
        alone = with_reaction(settings, take(attempts, early))
        for name in ("ms", "minor"):
            assert alone[name].tolist() == whole[name][early].tolist()
    assert (whole["minor"] < attempts["minor"]).sum() > 100


def test_order_of_the_attempts_does_not_matter(attempts: Columns) -> None:
    order = np.random.default_rng(3).permutation(len(attempts["ms"]))
    expected, shuffled = with_reaction(SETTINGS, attempts), with_reaction(SETTINGS, take(attempts, order))
    for name in ("ms", "minor"):
        assert shuffled[name].tolist() == expected[name][order].tolist()


def test_they_see_the_blocks_that_the_platform_makes() -> None:
    made = world(0.15)
    fraud = frauds(made, "T1")
    told = take(made.disputes, np.isin(made.disputes["payment"], fraud["payment"]))
    payer = np.unique(told["payer"])
    accused = np.full(int(payer.max()) + 1, NEVER)
    np.minimum.at(accused, told["payer"], told["ms"])
    expected = restricted_from(SETTINGS, payer, accused[payer])
    actions = made.enforcement_actions
    restricted = {
        account: ms
        for account, ms, action in zip(
            *(actions[name].tolist() for name in ("account", "ms", "action")), strict=True
        )
        if action == "restrict"
    }
    in_time = expected < SETTINGS.end_ms
    found = [restricted.get(account) for account in payer[in_time].tolist()]
    same = np.mean([ms == at for ms, at in zip(found, expected[in_time].tolist(), strict=True)])
    assert same > 0.97  # a report may come before the first dispute
    assert in_time.sum() > 50
