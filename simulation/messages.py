"""Messages, one row each: what the sides of a contract write to each other, and the threads of swindlers (T5)."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Ints, size, stack, take
from simulation.fraud.swindling import swindles
from simulation.population import HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import happens, stream
from simulation.text.letters import honest_message
from simulation.text.spinning import luck

_THREAD_SHARE = 0.4
_LOOK_ALIKE_SHARE = 0.06


def messages(
    settings: SimulationSettings,
    people: Columns,
    payments: Columns,
    posts: Columns,
    proposals: Columns,
    terms: Columns,
) -> Columns:
    """Return the messages of the period sorted by time; ``job`` and ``contract`` are -1 where there is none.

    ``thread`` numbers the threads; ``is_fraud`` and ``typology`` are those of the whole thread.
    """
    rng = stream(settings.seed, "messages")
    honest = _of_contracts(rng, people, payments, terms)
    threads = int(honest["thread"].max(initial=-1)) + 1
    wanted = round(settings.fraud.swindling_threads * threads)
    swindled = swindles(settings, people, payments, posts, proposals, wanted)
    swindled["thread"] = swindled["thread"] + threads
    rows = stack([honest, swindled])
    rows = take(rows, (rows["ms"] >= settings.start_ms) & (rows["ms"] < settings.end_ms))
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    rows |= {"message": np.arange(size(rows)), "edited": happens(rng, 0.04, size(rows))}
    return rows | honest_sessions(rng, people, rows["sender"], rows["ms"])


def _of_contracts(rng: np.random.Generator, people: Columns, payments: Columns, terms: Columns) -> Columns:
    """Return the threads of two contracts in five, from a day before the first payment on.

    Who passes money to himself (T7) has nothing to say.
    """
    talks = (payments["typology"] != "T7") & payments["approved"]
    chosen = np.flatnonzero(talks)
    _, first = np.unique(payments["contract"][chosen], return_index=True)
    paid = chosen[first[happens(rng, _THREAD_SHARE, len(first))]]
    length = 1 + rng.poisson(2.6, len(paid))
    thread = np.repeat(np.arange(len(paid)), length)
    turn = np.arange(len(thread)) - np.repeat(np.cumsum(length) - length, length)
    row = paid[thread]
    client, freelancer = payments["payer"][row], payments["payee"][row]
    opened = np.repeat(happens(rng, 0.6, len(paid)), length)
    from_client = (turn % 2 == 0) == opened
    begins = np.repeat(
        payments["ms"][paid] - (rng.exponential(20.0, len(paid)) * HOUR_MS).astype(np.int64), length
    )
    both = np.maximum(people["signup_ms"][client], people["signup_ms"][freelancer])
    at = np.maximum(begins, both + 60_000) + _gaps(rng, thread)
    return {
        "thread": thread,
        "ms": at,
        "sender": np.where(from_client, client, freelancer),
        "recipient": np.where(from_client, freelancer, client),
        "job": terms["post"][np.searchsorted(terms["contract"], payments["contract"][row])],
        "contract": payments["contract"][row],
        "body": _bodies(rng, from_client),
        "is_fraud": np.zeros(len(thread), dtype=bool),
        "typology": np.full(len(thread), ""),
    }


def _gaps(rng: np.random.Generator, thread: Ints) -> Ints:
    """Return the time of each message since its thread began: hours pass between two of them."""
    gap = (rng.lognormal(1.0, 1.4, len(thread)) * HOUR_MS).astype(np.int64)
    total = np.cumsum(gap)
    begins = np.searchsorted(thread, thread)
    since: Ints = total - total[begins]
    return since


def _bodies(rng: np.random.Generator, from_client: Array) -> Array:
    draws = luck(rng)
    alike = happens(rng, _LOOK_ALIKE_SHARE, len(from_client)).tolist()
    said = [
        honest_message(draws, from_client=client, look_alike=look_alike)
        for client, look_alike in zip(from_client.tolist(), alike, strict=True)
    ]
    return np.array(said, dtype=object)
