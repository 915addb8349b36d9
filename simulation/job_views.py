"""Views of job posts, one row each: who looks at a post or saves it, and whom its client invites.

Those who bid looked before. Who hires somebody already known invites him, and so do those who pay an accomplice.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Ints, size, stack, take
from simulation.population import HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

VIEW, SAVE, INVITE = "view", "save", "invite"
_PLACE = ("device", "ip", "ip_country", "ip_type")
_MINUTE_MS = 60_000


def job_views(
    settings: SimulationSettings, people: Columns, payments: Columns, posts: Columns, bids: Columns
) -> Columns:
    """Return the views, saves and invitations of the period, sorted by time.

    Args:
        settings: the marketplace; ``views_per_post`` is how many people look who do not bid.
        people: every account, its number its position.
        payments: the payments of contracts that began with a post.
        posts: the job posts, sorted by time.
        bids: the proposals; ``post`` is the post that each is for.

    Returns:
        ``post``, ``account`` (who looks, saves or is invited), ``kind``, ``ms``, and from where it was done.
    """
    rng = stream(settings.seed, "job views")
    rows = stack(
        [
            _before_bids(rng, posts, bids),
            _by_others(rng, settings, people, posts),
            *_of_invited(rng, people, payments, posts, bids),
        ]
    )
    fits = (people["signup_ms"][rows["account"]] < rows["ms"]) & (rows["ms"] < settings.end_ms)
    rows = take(rows, fits & (rows["account"] != posts["client"][rows["post"]]))
    return take(rows, np.lexsort((rows["account"], rows["post"], rows["ms"])))


def _seen(post: Ints, account: Ints, ms: Ints, kind: Array, place: Columns) -> Columns:
    return {"post": post, "account": account, "ms": ms, "kind": kind} | {name: place[name] for name in _PLACE}


def _before_bids(rng: np.random.Generator, posts: Columns, bids: Columns) -> Columns:
    """Return a view before every bid, from the same place, no earlier than the post."""
    minutes = (rng.lognormal(2.0, 0.9, size(bids)) * _MINUTE_MS).astype(np.int64)
    at = np.maximum(posts["ms"][bids["post"]], bids["ms"] - minutes)
    return _seen(bids["post"], bids["freelancer"], at, np.full(size(bids), VIEW), bids)


def _by_others(
    rng: np.random.Generator, settings: SimulationSettings, people: Columns, posts: Columns
) -> Columns:
    """Return views by freelancers who do not bid, most of them while a post is young; some save it."""
    freelancers = np.flatnonzero(people["role"] != "client")
    curious = rng.lognormal(0.0, 1.3, len(freelancers))
    post = np.repeat(np.arange(size(posts)), rng.poisson(settings.views_per_post, size(posts)))
    who = rng.choice(freelancers, len(post), p=curious / curious.sum())
    delay = (rng.lognormal(1.2, 1.5, len(post)).clip(0.01, 700.0) * HOUR_MS).astype(np.int64)
    at = posts["ms"][post] + delay
    kind = choice(rng, (VIEW, SAVE), (90, 10), len(post))
    return _seen(post, who, at, kind, honest_sessions(rng, people, who, at))


def _of_invited(
    rng: np.random.Generator, people: Columns, payments: Columns, posts: Columns, bids: Columns
) -> list[Columns]:
    """Return an invitation of everyone who was hired without a bid, and most of their views of it."""
    contract, first = np.unique(payments["contract"], return_index=True)
    hired = np.flatnonzero(np.isin(posts["contract"], contract))
    paid = first[np.searchsorted(contract, posts["contract"][hired])]
    payee, accounts = payments["payee"][paid], size(people)
    has_bid = np.isin(hired * accounts + payee, bids["post"] * accounts + bids["freelancer"])
    post, who, paid = hired[~has_bid], payee[~has_bid], paid[~has_bid]
    room = payments["ms"][paid] - posts["ms"][post]
    at = posts["ms"][post] + (rng.beta(1.1, 6.0, len(post)) * room).astype(np.int64)
    seen = at + (rng.beta(1.2, 3.0, len(post)) * (payments["ms"][paid] - at)).astype(np.int64)
    looks = happens(rng, 0.9, len(post))
    invitations = _seen(post, who, at, np.full(len(post), INVITE), take(posts, post))
    place = honest_sessions(rng, people, who[looks], seen[looks])
    views = _seen(post[looks], who[looks], seen[looks], np.full(int(looks.sum()), VIEW), place)
    return [invitations, views]
