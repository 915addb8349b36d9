"""Logins, one row per try: before payments, in between, failed ones, resets, and those of intruders."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Columns, Ints, from_rows, size, stack, take
from simulation.fraud.actions import Login
from simulation.population import DAY_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

_BEFORE = ("none", "login_fail", "pwd_reset", "mfa_fail", "email_change")


def logins(
    settings: SimulationSettings, people: Columns, payments: Columns, intruders: list[Login]
) -> Columns:
    """Return all logins, in no order; ``people`` covers the fraudsters' accounts too."""
    rng = stream(settings.seed, "logins")
    before = _before_payments(rng, payments)
    between = _in_between(rng, settings, people)
    good = stack([before, between])
    parts = [good, _trouble(rng, good)]
    if intruders:
        parts.append(from_rows(intruders, Login))
    return stack(parts)


def _before_payments(rng: np.random.Generator, payments: Columns) -> Columns:
    """Return a login minutes before six in ten payment attempts, from the very same place."""
    rows = take(payments, happens(rng, 0.6, size(payments)))
    at = rows["ms"] - (rng.lognormal(1.8, 0.8, size(rows)) * 60_000).astype(np.int64)
    place = {name: rows[name] for name in ("device", "ip", "ip_country", "ip_type")}
    return {"ms": at, "account": rows["payer"], "kind": np.full(size(rows), "login_ok")} | place


def _in_between(rng: np.random.Generator, settings: SimulationSettings, people: Columns) -> Columns:
    """Return logins without a payment, each account at its own pace from its sign-up on."""
    opens = np.maximum(people["signup_ms"], settings.start_ms)
    share = (settings.end_ms - opens).clip(0) / (settings.days * DAY_MS)
    pace = people["logins_pace"] * share * settings.logins_per_account
    who: Ints = np.repeat(np.arange(len(opens)), rng.poisson(pace))
    at = opens[who] + (rng.random(len(who)) * (settings.end_ms - opens[who])).astype(np.int64)
    at = np.maximum(geography.working_time(rng, at, people["country"][who]), opens[who] + 60_000)
    place = honest_sessions(rng, people, who, at)
    return {"ms": at, "account": who, "kind": np.full(len(who), "login_ok")} | place


def _trouble(rng: np.random.Generator, good: Columns) -> Columns:
    """Return what precedes some successful logins: wrong passwords, a reset, a failed second factor."""
    kind = choice(rng, _BEFORE, (915, 60, 12, 10, 3), size(good))
    rows = take(good, kind != "none")
    earlier = rows["ms"] - rng.integers(8_000, 300_000, size(rows))
    return rows | {"ms": earlier, "kind": kind[kind != "none"]}
