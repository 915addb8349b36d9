"""T4, off-platform solicitation: fake jobs that lead to a messenger, in campaigns of some days across new accounts.

No money moves here. The solicitors are newcomers who neither pay nor are paid; some other such newcomers are honest.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Ints
from simulation.fraud.idle_newcomers import idle_newcomers
from simulation.honest_payments import round_money
from simulation.population import DAY_MS, HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream
from simulation.text.job_texts import new_pitch, soliciting_description, title
from simulation.text.job_words import BROAD
from simulation.text.spinning import luck

TYPOLOGY = "T4"
_OF_IDLE = 0.7


def solicitations(
    settings: SimulationSettings, people: Columns, payments: Columns, honest: Columns, wanted: int
) -> Columns:
    """Return about ``wanted`` posts with the columns of ``honest``, fewer where too few newcomers are idle."""
    rng = stream(settings.seed, "soliciting")
    idle = idle_newcomers(settings, people, payments)
    idle = idle[happens(rng, _OF_IDLE, len(idle))]
    account, campaign = _campaigns(rng, idle, wanted)
    client, at = _moments(rng, people, account, campaign, wanted)
    order = np.argsort(campaign[client], kind="stable")
    client, at, of = account[client][order], at[order], campaign[client][order]
    count = len(client)
    usual = float(np.median(np.log(honest["minor"] / 100)))
    place = honest_sessions(rng, people, client, at)
    chief = np.searchsorted(of, of)
    shared = happens(rng, 0.35, count)
    rows: Columns = {name: np.where(shared, values[chief], values) for name, values in place.items()}
    return rows | {
        "ms": at,
        "client": client,
        "contract": np.full(count, -1),
        "minor": round_money(rng, usual + rng.normal(0.9, 0.45, count)),
        "is_fraud": np.ones(count, dtype=bool),
        "typology": np.full(count, TYPOLOGY),
        "budget_type": choice(rng, ("fixed", "hourly"), (55, 45), count),
        **_worded(rng, of),
    }


def _campaigns(rng: np.random.Generator, idle: Ints, wanted: int) -> tuple[Ints, Ints]:
    """Return accounts that sign up one after the other, and the campaign of each: three to eight accounts."""
    sizes = rng.integers(3, 9, len(idle) + 1)
    campaign = np.repeat(np.arange(len(sizes)), sizes)[: len(idle)]
    enough = int(np.searchsorted(np.cumsum(sizes) * 2, wanted)) + 1 if wanted else 0
    kept = np.isin(campaign, rng.permutation(int(campaign.max(initial=-1)) + 1)[:enough])
    return idle[kept], campaign[kept]


def _moments(
    rng: np.random.Generator, people: Columns, account: Ints, campaign: Ints, wanted: int
) -> tuple[Ints, Ints]:
    """Return for every post the position of its account, and its time within the campaign's three to ten days."""
    share = wanted / max(1, len(account))
    position = np.repeat(np.arange(len(account)), 1 + rng.poisson(max(0.0, share - 1.0), len(account)))
    signup = people["signup_ms"][account]
    begin = signup[np.searchsorted(campaign, campaign)]
    days = rng.uniform(3.0, 10.0, int(campaign.max(initial=-1)) + 1)[campaign]
    planned = begin[position] + (rng.random(len(position)) * days[position] * DAY_MS).astype(np.int64)
    soonest = signup[position] + (rng.exponential(8.0, len(position)) * HOUR_MS).astype(np.int64) + HOUR_MS
    at: Ints = np.maximum(planned, soonest)
    return position, at


def _worded(rng: np.random.Generator, campaign: Array) -> Columns:
    """Return category, title and description: every campaign has one pitch, every post its own wording."""
    draws = luck(rng)
    category = choice(rng, BROAD, (45, 25, 15, 15), len(campaign))
    pitches = {number: new_pitch(draws) for number in sorted(set(campaign.tolist()))}
    texts = [soliciting_description(pitches[number], draws) for number in campaign.tolist()]
    return {
        "category": category,
        "title": np.array([title(name, draws) for name in category.tolist()], dtype=object),
        "description": np.array(texts, dtype=object),
    }
