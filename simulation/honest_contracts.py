"""The honest contracts, one row each: who hires whom, when, and how much an instalment is."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Ints
from simulation.population import DAY_MS, HOUR_MS
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream

INSTALMENTS = 3.0
_REHIRE_SHARE = 0.35
_STAY_DAYS = 150.0
_LEAD_DAYS = 20
_REDRAWS = 60


def honest_contracts(settings: SimulationSettings, people: Columns, payments: int) -> Columns:
    """Return contracts for about ``payments`` instalments inside the period, sorted by client and start.

    A newcomer's first contract mostly follows within hours or days of the sign-up; clients stay five months
    on average, so that leavers and newcomers keep the flow level. Contracts of old clients begin up to
    three weeks before the period, so that its first day is a day like any other.
    """
    rng = stream(settings.seed, "contracts")
    clients = np.flatnonzero(people["role"] != "freelancer")
    opens = np.maximum(people["signup_ms"][clients], settings.start_ms - _LEAD_DAYS * DAY_MS)
    stays = (rng.exponential(_STAY_DAYS, len(clients)) * DAY_MS).astype(np.int64)
    closes = np.minimum(opens + stays, settings.end_ms)
    weight = people["appetite"][clients] * (closes - opens) / (settings.days * DAY_MS)
    newcomer = people["signup_ms"][clients] >= settings.start_ms
    first = newcomer & happens(rng, 0.92, len(clients))
    inside = settings.days / (settings.days + _LEAD_DAYS)
    wanted = max(1.0, payments / INSTALMENTS / inside - first.sum())
    drawn = rng.poisson(weight * wanted / weight.sum())
    client = np.concatenate([clients[first], np.repeat(clients, drawn)])
    soon = opens[first] + (rng.lognormal(2.4, 1.6, int(first.sum())) * HOUR_MS).astype(np.int64)
    room = np.repeat(closes - opens, drawn)
    later = np.repeat(opens, drawn) + (rng.random(len(room)) * room).astype(np.int64)
    start = np.concatenate([soon, later])
    order = np.lexsort((start, client))
    client, start = client[order], start[order]
    scale = people["log_amount"][client] + rng.normal(0.0, 0.5, len(client))
    payee = _payees(rng, people, client, start)
    return {
        "contract": np.arange(len(client)),
        "payer": client,
        "payee": payee,
        "start_ms": start,
        "scale": scale,
    }


def _payees(rng: np.random.Generator, people: Columns, client: Ints, start: Ints) -> Ints:
    """Choose freelancers by popularity among those signed up; every third contract rehires."""
    freelancers = np.flatnonzero(people["role"] != "client")
    weight = people["popularity"][freelancers]
    weight = weight / weight.sum()
    payee = rng.choice(freelancers, size=len(client), p=weight)
    for _ in range(_REDRAWS):
        unfit = (people["signup_ms"][payee] > start) | (payee == client)
        payee[unfit] = rng.choice(freelancers, size=int(unfit.sum()), p=weight)
    same_client = np.concatenate([[False], client[1:] == client[:-1]])
    again = same_client & happens(rng, np.where(people["is_agency"][client], 0.1, _REHIRE_SHARE), len(client))
    source: Ints = np.maximum.accumulate(np.where(again, 0, np.arange(len(client))))
    return payee[source]
