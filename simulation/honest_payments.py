"""The honest payment attempts, one row each, with declines and the retries that follow them."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Ints, size, stack, take
from simulation.honest_contracts import INSTALMENTS, honest_contracts
from simulation.population import DAY_MS
from simulation.sessions import honest_cards, honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

DECLINE_CODES = ("insufficient_funds", "do_not_honor", "incorrect_cvc", "expired_card", "suspected_fraud")
_RETRIES = 3
_ATTEMPTS_PER_PAYMENT = 1.09
_NEWCOMER_DAYS = 10
_SMALL = 100
_LARGE = 600


def honest_payments(settings: SimulationSettings, people: Columns, attempts: int) -> Columns:
    """Return about ``attempts`` payment attempts by honest people, in no order, none outside the period."""
    rng = stream(settings.seed, "payments")
    contracts = honest_contracts(settings, people, int(attempts / _ATTEMPTS_PER_PAYMENT))
    due = _instalments(rng, contracts, people)
    due = take(due, (due["ms"] >= settings.start_ms) & (due["ms"] < settings.end_ms))
    who, at = due["payer"], due["ms"]
    due |= honest_cards(rng, people, who, at) | honest_sessions(rng, people, who, at)
    due["currency"] = geography.CURRENCY[people["country"][who]]
    due |= _checks(rng, due)
    rounds = _rounds(rng, due, people)
    count = size(rounds)
    return rounds | {"is_fraud": np.zeros(count, dtype=bool), "typology": np.full(count, "")}


def _instalments(rng: np.random.Generator, contracts: Columns, people: Columns) -> Columns:
    """Unroll contracts to instalments some days apart; the first is due at the contract's start."""
    number = rng.geometric(1.0 / INSTALMENTS, size(contracts))
    row = np.repeat(np.arange(len(number)), number)
    position = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    gaps = np.where(position > 0, rng.gamma(1.5, 2.6, len(row)) * DAY_MS, 0.0)
    passed = np.cumsum(gaps)
    passed = passed - passed[np.repeat(np.cumsum(number) - number, number)]
    payer = contracts["payer"][row]
    at = contracts["start_ms"][row] + passed.astype(np.int64)
    at = np.where(position > 0, geography.working_time(rng, at, people["country"][payer]), at)
    at = np.maximum(at, contracts["start_ms"][row] + position)
    minor = round_money(rng, contracts["scale"][row] + rng.normal(0.0, 0.35, len(row)))
    return {"ms": at, "payer": payer, "payee": contracts["payee"][row], "contract": row, "minor": minor}


def round_money(rng: np.random.Generator, log_amount: Array) -> Ints:
    """Return cents for the log of an amount; people like whole fives, tens and fifties."""
    amount = np.exp(log_amount).clip(3.0, 20_000.0)
    step = np.select([amount < _SMALL, amount < _LARGE], [500, 1000], 5000)
    whole = np.maximum(1, np.rint(amount * 100 / step)) * step
    wanted = happens(rng, 0.45, len(amount))
    minor: Ints = np.where(wanted, whole, np.rint(amount * 100)).astype(np.int64)
    return minor


def _checks(rng: np.random.Generator, due: Columns) -> Columns:
    """Return address and code verification and whether 3-D Secure was asked, per payment."""
    count = size(due)
    checked = due["card_country"] < geography.CHECKED_COUNTRIES
    avs = choice(rng, ("match", "mismatch", "unavailable"), (83, 9, 8), count)
    avs = np.where(checked, avs, choice(rng, ("match", "mismatch", "unavailable"), (20, 4, 76), count))
    cvc = choice(rng, ("match", "mismatch", "absent"), (80, 3, 17), count)
    three_ds = happens(rng, np.where(due["currency"] == "USD", 0.15, 0.5), count)
    return {"avs": avs, "cvc": cvc, "three_ds": three_ds}


def _rounds(rng: np.random.Generator, due: Columns, people: Columns) -> Columns:
    """Try every payment; most declined ones are tried again minutes later, some with the other card."""
    foreign = due["card_country"] != due["ip_country"]
    weak = np.where(due["funding"] == "prepaid", 0.10, 0.0) + np.where(foreign, 0.05, 0.0)
    unknown = due["ms"] - people["signup_ms"][due["payer"]] < _NEWCOMER_DAYS * DAY_MS
    attempt = due | {"refusal": 0.05 + weak + np.where(unknown, 0.09, 0.0)}
    parts = []
    for _ in range(_RETRIES + 1):
        count = size(attempt)
        approved = ~happens(rng, attempt["refusal"], count)
        code = np.where(approved, "", choice(rng, DECLINE_CODES, (48, 26, 11, 11, 4), count))
        parts.append(attempt | {"approved": approved, "decline_code": code})
        attempt = take(attempt, ~approved & happens(rng, 0.75, count))
        attempt["ms"] = attempt["ms"] + rng.integers(40_000, 1_500_000, size(attempt))
        attempt["refusal"] = np.full(size(attempt), 0.33)
        cards = honest_cards(rng, people, attempt["payer"], attempt["ms"])
        attempt |= cards
    everything = stack(parts)
    del everything["refusal"]
    return everything
