"""Proposals, one row each: what freelancers bid for posts, the one who is hired among them."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, size, stack, take
from simulation.credits import BOOSTS
from simulation.fraud.returning import TYPOLOGY as SPONGERS
from simulation.population import HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream
from simulation.text.letters import letter_template
from simulation.text.spinning import luck, spin

_BIDS_PER_POST = 1.6


def proposals(
    settings: SimulationSettings, people: Columns, payments: Columns, posts: Columns, boosted: Columns
) -> Columns:
    """Return the proposals of the period sorted by time; ``post`` is the post that each is for.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        payments: the payments of contracts that began with a proposal.
        posts: the job posts, sorted by time.
        boosted: bids of rings that pay with credits: ms, account, credits.
    """
    rng = stream(settings.seed, "proposals")
    drawn = stack([_of_hired(rng, payments, posts), _of_others(rng, people, posts)])
    boost = choice(rng, tuple(map(str, (0, *BOOSTS))), (78, 12, 7, 3), size(drawn)).astype(np.int64)
    rows = stack([_of_rings(rng, posts, boosted), drawn | {"boost_credits": boost}])
    fits = people["signup_ms"][rows["freelancer"]] < rows["ms"]
    fits &= rows["freelancer"] != posts["client"][rows["post"]]
    rows = take(rows, fits & (rows["ms"] < settings.end_ms))
    _, once = np.unique(np.stack([rows["post"], rows["freelancer"]]), axis=1, return_index=True)
    rows = take(rows, once)
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    bid = posts["minor"][rows["post"]] * rng.normal(0.97, 0.18, size(rows)).clip(0.3, 2.0)
    rows |= {"minor": np.maximum(100, np.rint(bid)).astype(np.int64)}
    rows |= {"currency": posts["currency"][rows["post"]], "proposal": np.arange(size(rows))}
    rows |= {"seconds_since_post": (rows["ms"] - posts["ms"][rows["post"]]) // 1000}
    rows |= {"cover_letter": _letters(rng, people, rows["freelancer"])}
    return rows | honest_sessions(rng, people, rows["freelancer"], rows["ms"])


def _of_hired(rng: np.random.Generator, payments: Columns, posts: Columns) -> Columns:
    """Return a proposal of nearly everyone who was hired, between the post and the first payment."""
    contract, first = np.unique(payments["contract"], return_index=True)
    hired = np.flatnonzero(np.isin(posts["contract"], contract) & happens(rng, 0.9, size(posts)))
    paid = first[np.searchsorted(contract, posts["contract"][hired])]
    room = payments["ms"][paid] - posts["ms"][hired]
    at = posts["ms"][hired] + (rng.beta(1.2, 4.0, len(hired)) * room).astype(np.int64)
    return {"post": hired, "freelancer": payments["payee"][paid], "ms": at}


def _of_others(rng: np.random.Generator, people: Columns, posts: Columns) -> Columns:
    """Return the proposals of people who are not hired; those who bid much do so on many posts, rings only boosted."""
    freelancers = np.flatnonzero((people["role"] != "client") & (people["typology"] != SPONGERS))
    eager = rng.lognormal(0.0, 1.3, len(freelancers))
    post = np.repeat(np.arange(size(posts)), rng.poisson(_BIDS_PER_POST, size(posts)))
    delay = rng.lognormal(0.9, 1.5, len(post)).clip(0.01, 700.0) * HOUR_MS
    who = rng.choice(freelancers, len(post), p=eager / eager.sum())
    return {"post": post, "freelancer": who, "ms": posts["ms"][post] + delay.astype(np.int64)}


def _of_rings(rng: np.random.Generator, posts: Columns, boosted: Columns) -> Columns:
    """Return the boosted bids, each for one of the newest posts."""
    newest = np.searchsorted(posts["ms"], boosted["ms"]) - 1
    post = newest - rng.integers(0, 30, size(boosted))
    rows = {"freelancer": boosted["account"], "ms": boosted["ms"], "boost_credits": boosted["credits"]}
    return take({"post": post} | rows, post >= 0)


def _letters(rng: np.random.Generator, people: Columns, freelancer: Array) -> Array:
    """Return a letter each: every hand varies a template of its own, as honest people do too."""
    draws = luck(rng)
    country: list[str] = geography.COUNTRIES[people["country"]].tolist()
    hands = people["hand"][freelancer].tolist()
    templates = {hand: letter_template(country[hand], draws) for hand in sorted(set(hands))}
    return np.array([spin(templates[hand], draws) for hand in hands], dtype=object)
