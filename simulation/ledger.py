"""The ledger, one row per entry: every approved payment and every payout is a debit and a credit of one sum."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, size, stack, take
from simulation.settings import SimulationSettings
from simulation.streams import stream

SETTLEMENT = -1  # the platform's own account at its bank


def ledger_entries(settings: SimulationSettings, payments: Columns, payouts: Columns) -> Columns:
    """Return two entries per approved payment and per payout, which add up to zero in one currency.

    A payment debits its payer and credits its payee; a payout debits the account and credits ``SETTLEMENT``.
    Both entries are booked at once, seconds after the payment or payout.
    """
    rng = stream(settings.seed, "ledger")
    paid = take(payments, payments["approved"])
    settlement = np.full(size(payouts), SETTLEMENT)
    money_in = _booked(rng, paid, paid["payer"], paid["payee"], "payment")
    money_out = _booked(rng, payouts, payouts["account"], settlement, "payout")
    both = stack([money_in, money_out])
    both["txn"] = np.arange(size(both))
    return stack([_entry(both, "debit"), _entry(both, "credit")])


def _booked(rng: np.random.Generator, rows: Columns, debit: Array, credit: Array, kind: str) -> Columns:
    return {
        "ms": rows["ms"] + rng.integers(300, 5_000, size(rows)),
        "debit": debit,
        "credit": credit,
        "minor": rows["minor"],
        "currency": rows["currency"],
        "kind": np.full(size(rows), kind),
    }


def _entry(booked: Columns, side: str) -> Columns:
    kept = {name: booked[name] for name in ("txn", "ms", "minor", "currency", "kind")}
    return kept | {"account": booked[side], "side": np.full(size(booked), side)}
