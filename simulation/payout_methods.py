"""The change log of payout methods, one row per change: an account adds where its money goes, and later removes some.

Accounts of one hand share a method; whoever empties an account (T3) adds one in another's name.
"""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Columns, size, take
from simulation.fraud.underworld import is_made_up
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream
from simulation.tenure import change_log, held

_REMOVED = 0.15


def payout_method_changes(settings: SimulationSettings, people: Columns, payouts: Columns) -> Columns:
    """Return the changes up to the end of the period, sorted by ``lsn``.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        payouts: every payout, which says when its method was added.
    """
    rng = stream(settings.seed, "payout methods")
    rows = held(payouts, "method", "account")
    payout, account = take(payouts, rows["row"]), rows["account"]
    foreign = is_made_up(rows["method"])
    country = np.where(
        foreign | happens(rng, 0.06, size(rows)),
        geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, size(rows)),
        people["country"][account],
    )
    waits = (rng.exponential(25.0, size(rows)) * DAY_MS).astype(np.int64)
    removed = np.where(happens(rng, _REMOVED, size(rows)), rows["last_ms"] + waits, settings.end_ms)
    rows |= {
        "kind": payout["method_kind"],
        "bank_country": country,
        "holder": np.where(foreign, rows["method"], people["hand"][account]),
    }
    return change_log(rng, settings, rows, payout["method_added_ms"], removed)
