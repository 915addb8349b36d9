"""Job posts, one row each: those that led to contracts, those that did not, and those of solicitors (T4)."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, size, stack, take
from simulation.fraud.soliciting import solicitations
from simulation.honest_payments import round_money
from simulation.population import DAY_MS, HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream
from simulation.text.job_texts import honest_description, title
from simulation.text.job_words import CATEGORIES
from simulation.text.spinning import luck

_LOOK_ALIKE_SHARE = 0.16
_UNFILLED = 0.15
_HASTY = ("T1", "T2", "T6", "T7")


def job_posts(settings: SimulationSettings, people: Columns, payments: Columns) -> Columns:
    """Return the posts of the period sorted by time; ``contract`` is -1 where nobody was hired."""
    rng = stream(settings.seed, "job posts")
    filled = _filled(rng, people, payments)
    filled = take(filled, (filled["ms"] >= settings.start_ms) & (filled["ms"] < settings.end_ms))
    honest = stack([filled, _unfilled(rng, settings, people, filled)])
    honest |= _worded(rng, people, honest)
    honest |= honest_sessions(rng, people, honest["client"], honest["ms"])
    wanted = round(settings.fraud.soliciting_posts * size(honest))
    rows = stack([honest, solicitations(settings, people, payments, honest, wanted)])
    rows = take(rows, rows["ms"] < settings.end_ms)
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    currency = geography.CURRENCY[people["country"][rows["client"]]]
    return rows | {"post": np.arange(size(rows)), "currency": currency}


def _filled(rng: np.random.Generator, people: Columns, payments: Columns) -> Columns:
    """Return the post before three in four contracts; those who have a payee already hire within minutes."""
    _, first = np.unique(payments["contract"], return_index=True)
    rows = take(payments, first[happens(rng, 0.75, len(first))])
    count = size(rows)
    days = np.where(
        np.isin(rows["typology"], _HASTY), rng.exponential(0.3, count), rng.lognormal(0.2, 1.0, count)
    )
    since = people["signup_ms"][rows["payer"]] + 60_000
    at = np.minimum(rows["ms"], np.maximum(since, rows["ms"] - (days * DAY_MS).astype(np.int64)))
    minor = round_money(rng, np.log(rows["minor"] / 100) + rng.normal(0.1, 0.3, count))
    return {"ms": at, "client": rows["payer"], "contract": rows["contract"], "minor": minor} | _honest(count)


def _unfilled(
    rng: np.random.Generator, settings: SimulationSettings, people: Columns, filled: Columns
) -> Columns:
    """Return posts of the same clients at other times that led to nothing."""
    row = rng.integers(0, size(filled), int(size(filled) * _UNFILLED))
    client = filled["client"][row]
    at = filled["ms"][row] + (rng.uniform(-20, 40, len(row)) * DAY_MS).astype(np.int64)
    at = np.maximum(at, people["signup_ms"][client] + HOUR_MS).clip(settings.start_ms, settings.end_ms)
    minor = round_money(rng, np.log(filled["minor"][row] / 100) + rng.normal(0.0, 0.5, len(row)))
    return {"ms": at, "client": client, "contract": np.full(len(row), -1), "minor": minor} | _honest(len(row))


def _honest(count: int) -> Columns:
    return {"is_fraud": np.zeros(count, dtype=bool), "typology": np.full(count, "")}


def _worded(rng: np.random.Generator, people: Columns, posts: Columns) -> Columns:
    """Return category, budget type, title and description of honest posts."""
    count, draws = size(posts), luck(rng)
    category = choice(rng, CATEGORIES, (22, 18, 14, 8, 12, 10, 8, 8), count)
    look_alike = happens(rng, _LOOK_ALIKE_SHARE, count)
    country: Array = geography.COUNTRIES[people["country"][posts["client"]]]
    titles = [title(name, draws) for name in category.tolist()]
    texts = [
        honest_description(where, draws, look_alike=alike)
        for where, alike in zip(country.tolist(), look_alike.tolist(), strict=True)
    ]
    return {
        "category": category,
        "budget_type": choice(rng, ("fixed", "hourly"), (70, 30), count),
        "title": np.array(titles, dtype=object),
        "description": np.array(texts, dtype=object),
    }
