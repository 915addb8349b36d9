"""What the platform does to accused accounts: it restricts most of them, then suspends or frees them."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Flags, Ints, size
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream

NEVER = np.iinfo(np.int64).max


def sanctions(settings: SimulationSettings, people: Columns, accused: Columns, guilty: Flags) -> Columns:
    """Return one row per account restricted in the period, after its first accusation.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        accused: accusations of fraud: account, ms.
        guilty: which accounts were opened or bought to defraud.

    Returns:
        ``account``, ``restricted_ms``, ``decided_ms``, ``is_convicted`` (suspended, else freed) and ``heard_ms``,
        when an appeal freed a convict; -1 where none did.
    """
    rng = stream(settings.seed, "enforcement")
    first = np.full(size(people), NEVER)
    np.minimum.at(first, accused["account"], accused["ms"])
    who = np.flatnonzero((first < settings.end_ms) & happens(rng, 0.85, len(first)))
    count = len(who)
    restricted = first[who] + (rng.uniform(0.1, 3.0, count) * DAY_MS).astype(np.int64)
    decided = restricted + (rng.lognormal(1.2, 0.7, count) * DAY_MS).astype(np.int64)
    convicted = np.where(guilty[who], happens(rng, 0.92, count), happens(rng, 0.04, count))
    appealed = convicted & happens(rng, 0.03, count)
    heard = decided + (rng.uniform(2.0, 20.0, count) * DAY_MS).astype(np.int64)
    return {
        "account": who,
        "restricted_ms": restricted,
        "decided_ms": decided,
        "is_convicted": convicted,
        "heard_ms": np.where(appealed, heard, -1),
    }


def suspended_from(people: Columns, sanctioned: Columns) -> Ints:
    """Return for every account when it was suspended for good; ``NEVER`` where it was not."""
    since = np.full(size(people), NEVER)
    for_good = sanctioned["is_convicted"] & (sanctioned["heard_ms"] < 0)
    since[sanctioned["account"][for_good]] = sanctioned["decided_ms"][for_good]
    return since
