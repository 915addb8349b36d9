"""T11, credit abuse: one hand invites itself again and again, and spends the credits on being shown first.

A ring signs up within hours, from a handful of devices, mostly with throw-away addresses. A class of learners does so
too, each on a device of his own. No money moves; a rule links most rings within days of what they spend.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from simulation import geography
from simulation.columns import Columns, take
from simulation.credits import BOOSTS, REWARD
from simulation.enforcement import INVITED_SELF, sanction
from simulation.fraud.returning import TYPOLOGY
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream

_SMALLEST, _LARGEST = 4, 40
_MINUTE_MS = 60_000


def run_credit_rings(under: Underworld, wanted: int) -> None:
    """Let rings of four to forty accounts sign up until there are ``wanted`` accounts; the last may be smaller."""
    while wanted > 0:
        drawn = _SMALLEST + int(under.rng.pareto(1.2) * _SMALLEST)
        members = min(wanted, _LARGEST, drawn)
        _ring(under, members)
        wanted -= members


def _ring(under: Underworld, members: int) -> None:
    """Open one account that invites most of the others, on a device that changes every five to fifteen accounts."""
    rng = under.rng
    at = under.moment()
    country = int(geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, 1)[0])
    invited = Counter[int]()
    ring: list[int] = []
    left = 0
    for _ in range(members):
        if left == 0:
            place, left = under.place(under.number(), country), int(rng.integers(5, 16))
        host = ring[0 if under.chance(0.75) else int(rng.integers(len(ring)))] if ring else None
        account = under.sign_up(
            at,
            "freelancer",
            country,
            place,
            typology=TYPOLOGY,
            hand=ring[0] if ring else None,
            referrer=host,
        )
        if host is not None:
            invited[host] += 1
        ring.append(account)
        left -= 1
        at += int(rng.exponential(12) * _MINUTE_MS) + 20_000
    for account, times in invited.items():
        _spend(under, account, times * REWARD, at)


def _spend(under: Underworld, account: int, earned: int, since: int) -> None:
    """Bid within days, each time with the dearest boost, for about nine tenths of what was earned."""
    at = since + HOUR_MS
    for _ in range(earned * 9 // (10 * max(BOOSTS))):
        at += int(under.rng.exponential(2.5) * HOUR_MS) + _MINUTE_MS
        under.bid(at, account, max(BOOSTS))


def caught_rings(settings: SimulationSettings, people: Columns, bids: Columns, known: Columns) -> Columns:
    """Return the sanctions of seven rings in ten, all members at once, hours to days after the last of their bids.

    Args:
        settings: the marketplace.
        people: the accounts before any banned one returns, its number its position.
        bids: the proposals that rings boosted: account, ms.
        known: sanctions there are already; an account has one.
    """
    rng = stream(settings.seed, "caught rings")
    last = people["signup_ms"].copy()
    np.maximum.at(last, bids["account"], bids["ms"])
    who = people["account"][people["typology"] == TYPOLOGY]
    hands, ring = np.unique(people["hand"][who], return_inverse=True)
    quiet = np.zeros(len(hands), dtype=np.int64)
    np.maximum.at(quiet, ring, last[who])
    restricted = quiet + (rng.lognormal(2.0, 1.2, len(hands)) * HOUR_MS).astype(np.int64) + HOUR_MS
    decided = restricted + (rng.uniform(0.05, 2.0, len(hands)) * DAY_MS).astype(np.int64)
    rows = sanction(who, restricted[ring], decided[ring], INVITED_SELF, is_convicted=True)
    caught = happens(rng, 0.7, len(hands))[ring]
    return take(rows, caught & ~np.isin(who, known["account"]))
