"""T11, return after a ban: who was suspended signs up again, mostly on the same device, with a throw-away address.

Newcomers of offices and households share devices too. Returners log in; what they would do next is not simulated.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Ints, size, take
from simulation.enforcement import LINKED, sanction
from simulation.fraud.non_delivery import TYPOLOGY as BOUGHT
from simulation.population import DAY_MS, HOUR_MS, THROW_AWAY
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

TYPOLOGY = "T11"
_FRESH_DEVICE_FIRST = 7_000_000_000


def returners(settings: SimulationSettings, people: Columns, sanctioned: Columns) -> Columns:
    """Return the accounts that suspended people open anew, with the columns of ``people`` and numbered after them."""
    rng = stream(settings.seed, "returning")
    banned = take(sanctioned, sanctioned["is_convicted"])
    returns = happens(rng, settings.fraud.returning, size(banned))
    times = np.where(returns, rng.geometric(0.7, size(banned)), 0)
    former = np.repeat(banned["account"], times)
    hours = rng.lognormal(3.5, 1.4, len(former))
    at: Ints = np.repeat(banned["decided_ms"], times) + (hours * HOUR_MS).astype(np.int64)
    inside = at < settings.end_ms
    former, at = former[inside], at[inside]
    rows, count = take(people, former), len(former)
    fresh = _FRESH_DEVICE_FIRST + np.arange(count)
    # Who bought an account never signed up on its device.
    keeps_device = happens(rng, 0.7, count) & (rows["typology"] != BOUGHT)
    account = size(people) + np.arange(count)
    return rows | {
        "account": account,
        "referrer": np.full(count, -1),
        "hand": np.where(keeps_device, rows["hand"], account),
        "typology": np.full(count, TYPOLOGY),
        "signup_ms": at,
        "signup_device": np.where(keeps_device, rows["signup_device"], fresh),
        "email_domain": choice(rng, (THROW_AWAY, "gmail.example", "outlook.example"), (55, 30, 15), count),
        "channel": choice(rng, ("referral", "organic", "social"), (40, 40, 20), count),
        "logins_pace": rng.lognormal(0.2, 0.6, count),
    }


def linked(settings: SimulationSettings, returned: Columns) -> Columns:
    """Return the sanctions of six returners in ten, minutes to days after they signed up."""
    rng = stream(settings.seed, "linkage")
    count = size(returned)
    restricted = returned["signup_ms"] + (rng.lognormal(2.0, 1.8, count) * HOUR_MS).astype(np.int64) + HOUR_MS
    decided = restricted + (rng.uniform(0.05, 2.0, count) * DAY_MS).astype(np.int64)
    rows = sanction(returned["account"], restricted, decided, LINKED, is_convicted=True)
    return take(rows, happens(rng, 0.6, count))
