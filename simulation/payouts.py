"""Payouts, one row per withdrawal: honest payees withdraw in their rhythm, accomplices within hours."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Flags, Ints, from_rows, size, stack, take
from simulation.fraud.actions import Withdrawal
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import mixed, stream

_RHYTHM_DAYS = np.array([7, 14, 14, 30])
_KINDS = np.array(["bank"] * 11 + ["wallet"] * 5 + ["card_push"] * 3 + ["crypto_exchange"])
_FEE_PERCENT = 10
_FIRST_METHOD_MS = 20 * 60_000  # after the sign-up, at the earliest


def payouts(settings: SimulationSettings, people: Columns, payments: Columns, under: Underworld) -> Columns:
    """Return every payout of the period's approved payments; amounts in minor units of the payee's currency.

    ``people`` covers the fraudsters' accounts too.
    """
    rng = stream(settings.seed, "payouts")
    paid = take(payments, payments["approved"])
    hasty = np.isin(paid["payee"], np.array(sorted(under.hasty), dtype=np.int64)) & paid["is_fraud"]
    due = _due(rng, paid, hasty)
    due |= _methods(settings, people, due["account"], due["ms"])
    session = honest_sessions(rng, people, due["account"], due["ms"])
    due |= {"device": session["device"], "ip_country": session["ip_country"]}
    everything = stack([due, _emptied(under.withdrawals, due)])
    country = people["country"][everything["account"]]
    currency = geography.CURRENCY[country]
    rate = geography.usd_ppm(currency, everything["ms"])
    minor = np.maximum(100, everything.pop("usd_cents") * 1_000_000 // rate)
    return everything | {"currency": currency, "minor": minor}


def _due(rng: np.random.Generator, paid: Columns, hasty: Flags) -> Columns:
    """Group money of one payee released in one period into one payout at its end; hasty ones go alone."""
    payee = paid["payee"]
    cents = paid["minor"] * geography.usd_ppm(paid["currency"], paid["ms"]) // 1_000_000
    span = _RHYTHM_DAYS[mixed(payee, "rhythm") % len(_RHYTHM_DAYS)] * DAY_MS
    period = (paid["released_ms"] + mixed(payee, "phase") % span) // span
    single = 1_000_000_000 + np.arange(size(paid))
    key = np.stack([payee, np.where(hasty, single, period)])
    _, first, group = np.unique(key, axis=1, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    usd_cents = np.zeros(len(first), dtype=np.int64)
    np.add.at(usd_cents, group, cents * (100 - _FEE_PERCENT) // 100)
    last = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(last, group, paid["released_ms"])
    wait = np.where(hasty[first], rng.exponential(7.0, len(first)), rng.exponential(40.0, len(first)) + 4.0)
    at = last + (wait * HOUR_MS).astype(np.int64)
    return {"ms": at, "account": payee[first], "usd_cents": usd_cents}


def _methods(settings: SimulationSettings, people: Columns, account: Ints, at_ms: Ints) -> Columns:
    """Return the payout method of the account's hand; every sixth hand changes it once in the period."""
    hand = people["hand"][account]
    change = settings.start_ms + mixed(hand, "method change") % (settings.days * 6 * DAY_MS)
    change = np.minimum(change, people["new_method_ms"][account])
    changed = at_ms >= change
    number = hand * 2 + changed
    kind: Array = _KINDS[mixed(number, "method kind") % len(_KINDS)]
    opened = settings.start_ms - 1 - mixed(hand, "method opened") % (300 * DAY_MS)
    added = np.maximum(np.where(changed, change, opened), people["signup_ms"][account] + _FIRST_METHOD_MS)
    return {"method": number, "method_kind": kind, "method_added_ms": added}


def _emptied(withdrawals: list[Withdrawal], like: Columns) -> Columns:
    """Return the withdrawals of taken-over accounts with the columns of ``like``."""
    if not withdrawals:
        return take(like, np.zeros(size(like), dtype=bool))
    return from_rows(withdrawals, Withdrawal)
