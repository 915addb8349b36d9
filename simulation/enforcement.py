"""What the platform does to accused accounts: it restricts most of them, then suspends or frees them."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.fates import NEVER, restricted_from
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream

ACCUSED, SUSPECTED, LINKED = "accused", "risk_score", "linked_to_suspended"
INVITED_SELF = "self_referral"


def sanctions(settings: SimulationSettings, people: Columns, accused: Columns, guilty: Flags) -> Columns:
    """Return one row per account restricted in the period: after its first accusation, or by mistake.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        accused: accusations of fraud: account, ms.
        guilty: which accounts were opened or bought to defraud.

    Returns:
        ``account``, ``restricted_ms``, ``decided_ms``, ``is_convicted`` (suspended, else freed), ``heard_ms``,
        when an appeal freed a convict, -1 where none did, and ``ground``, why it was restricted.
    """
    rng = stream(settings.seed, "enforcement")
    first = np.full(size(people), NEVER)
    np.minimum.at(first, accused["account"], accused["ms"])
    who = np.flatnonzero(first < settings.end_ms)
    restricted = restricted_from(settings, who, first[who])
    who, restricted = who[restricted != NEVER], restricted[restricted != NEVER]
    count = len(who)
    decided = restricted + (rng.lognormal(1.2, 0.7, count) * DAY_MS).astype(np.int64)
    convicted = np.where(guilty[who], happens(rng, 0.92, count), happens(rng, 0.04, count))
    appealed = convicted & happens(rng, 0.03, count)
    heard = decided + (rng.uniform(2.0, 20.0, count) * DAY_MS).astype(np.int64)
    told = sanction(who, restricted, decided, ACCUSED, is_convicted=convicted)
    told |= {"heard_ms": np.where(appealed, heard, -1)}
    return stack([told, _mistaken(settings, people, who)])


def sanction(
    account: Ints, restricted_ms: Ints, decided_ms: Ints, ground: str, *, is_convicted: bool | Flags
) -> Columns:
    """Return rows as ``sanctions`` has them, of convictions or of mistakes, none of them appealed."""
    count = len(account)
    return {
        "account": account,
        "restricted_ms": restricted_ms,
        "decided_ms": decided_ms,
        "is_convicted": np.full(count, is_convicted),
        "heard_ms": np.full(count, -1),
        "ground": np.full(count, ground).astype("<U20"),
    }


def _mistaken(settings: SimulationSettings, people: Columns, accused: Ints) -> Columns:
    """Restrict a few other accounts by mistake, for some days."""
    rng = stream(settings.seed, "mistaken restrictions")
    drawn = happens(rng, 0.004, size(people)) & ~np.isin(people["account"], accused)
    who, count = people["account"][drawn], int(drawn.sum())
    opens = np.maximum(people["signup_ms"][who] + DAY_MS, settings.start_ms)
    at = opens + (rng.random(count) * (settings.end_ms - opens).clip(0)).astype(np.int64)
    decided = at + (rng.exponential(3.0, count) * DAY_MS).astype(np.int64)
    return sanction(who, at, decided, SUSPECTED, is_convicted=False)


def suspended_from(people: Columns, sanctioned: Columns) -> Ints:
    """Return for every account when it was suspended for good; ``NEVER`` where it was not."""
    since = np.full(size(people), NEVER)
    for_good = sanctioned["is_convicted"] & (sanctioned["heard_ms"] < 0)
    since[sanctioned["account"][for_good]] = sanctioned["decided_ms"][for_good]
    return since


def enforcement_actions(settings: SimulationSettings, sanctioned: Columns) -> Columns:
    """Return what was done in the period, sorted by time: a rule restricts, people suspend, lift and hear appeals."""
    convicted, heard = sanctioned["is_convicted"], sanctioned["heard_ms"]
    rows = stack(
        [
            _action(sanctioned, sanctioned["restricted_ms"], "restrict", "rule"),
            _action(take(sanctioned, convicted), sanctioned["decided_ms"][convicted], "suspend", "human"),
            _action(take(sanctioned, ~convicted), sanctioned["decided_ms"][~convicted], "lift", "human"),
            _action(take(sanctioned, heard >= 0), heard[heard >= 0], "reinstate", "human"),
        ]
    )
    rows = take(rows, rows["ms"] < settings.end_ms)
    return take(rows, np.lexsort((rows["account"], rows["ms"])))


def _action(sanctioned: Columns, ms: Array, action: str, source: str) -> Columns:
    count = len(ms)
    return {
        "ms": ms,
        "account": sanctioned["account"],
        "ground": sanctioned["ground"],
        "action": np.full(count, action).astype("<U9"),
        "source": np.full(count, source).astype("<U5"),
    }
