"""The change log of payment instruments, one row per change: an account adds a card, and later removes some.

Several accounts may hold one card: those of an office, and those of a ring.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Ints, size, take
from simulation.fraud.underworld import is_made_up
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import happens, mixed, stream
from simulation.tenure import change_log, held

_REMOVED = 0.12
FUNDING = ("credit", "debit", "prepaid")
BANKS = 40  # with first digits of their own, by country and kind
_OF_ONE_RUN = 64


def instrument_changes(settings: SimulationSettings, people: Columns, payments: Columns) -> Columns:
    """Return the changes up to the end of the period, sorted by ``lsn``.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        payments: every attempt: whoever pays with a card holds it from some time before to the last attempt at least.
    """
    rng = stream(settings.seed, "instruments")
    rows = held(payments, "instrument", "payer")
    signed_up, renewed_ms = (people[name][rows["account"]] for name in ("signup_ms", "new_card_ms"))
    minutes = (rng.lognormal(1.5, 0.9, size(rows)) * 60_000).astype(np.int64)
    earlier = signed_up + (rng.random(size(rows)) * (settings.start_ms - signed_up)).astype(np.int64)
    is_old = ~is_made_up(rows["instrument"]) & (signed_up < settings.start_ms)
    added = np.where(is_old, earlier, rows["first_ms"] - minutes)
    added = np.where(rows["instrument"] == rows["account"] * 4 + 2, renewed_ms, added)
    added = np.minimum(np.maximum(added, signed_up + 60_000), rows["first_ms"])
    waits = (rng.exponential(20.0, size(rows)) * DAY_MS).astype(np.int64)
    removed = np.where(happens(rng, _REMOVED, size(rows)), rows["last_ms"] + waits, settings.end_ms)
    card = take(payments, rows["row"])
    rows |= {
        "card_country": card["card_country"],
        "funding": card["funding"],
        "bin": _bins(rows["instrument"], card["card_country"], card["funding"]),
    }
    return change_log(rng, settings, rows, added, removed)


def _bins(instrument: Ints, country: Ints, funding: Array) -> Ints:
    """Return the first eight digits of each card; cards bought in one lot mostly have the same."""
    lot = np.where(is_made_up(instrument), instrument // _OF_ONE_RUN, instrument)
    return issuer_bin(country, np.searchsorted(np.array(FUNDING), funding), mixed(lot, "bank") % BANKS)


def issuer_bin(country: Ints, kind: Ints, bank: Ints) -> Ints:
    """Return the first eight digits of the cards of a bank, by its country and the number of its ``FUNDING``."""
    return 40_000_000 + mixed((country * len(FUNDING) + kind) * BANKS + bank, "bin") % 15_000_000
