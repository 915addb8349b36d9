"""Contracts, one row each: who works for whom, on what terms, from when until when; and their change log."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.disputes import FRIENDLY
from simulation.population import DAY_MS, HOUR_MS
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

PADDED = "T10"
_DONE_AT_ONCE = ("T1", "T2", "T3", "T6", "T7")
_REASONS = ("completed", "cancelled_by_client", "cancelled_by_freelancer")


def contracts(settings: SimulationSettings, people: Columns, payments: Columns, posts: Columns) -> Columns:
    """Return every contract with a payment attempt in the period, by number.

    ``post`` is -1 where no post led to it, ``end_ms`` lies after the period where it goes on. ``typology`` is that
    of its payments, or T10 where its hours will be padded; a contract with any typology is bad.
    """
    rng = stream(settings.seed, "contract terms")
    number, first, inverse = np.unique(payments["contract"], return_index=True, return_inverse=True)
    rows, count = take(payments, first), len(number)
    last = np.zeros(count, dtype=np.int64)
    np.maximum.at(last, inverse, payments["ms"])
    paid = np.zeros(count, dtype=np.int64)
    np.add.at(paid, inverse, np.where(payments["approved"], payments["minor"], 0))
    post = _posts(posts, number)
    posted = post >= 0
    drawn = choice(rng, ("fixed", "hourly"), (70, 30), count)
    kind = np.where(posted, posts["budget_type"][np.maximum(post, 0)], drawn)
    typology = np.where(rows["typology"] == FRIENDLY, "", rows["typology"])
    at_once = np.isin(typology, _DONE_AT_ONCE)
    kind = np.where(at_once, "fixed", kind)
    honest = typology == ""
    padded = honest & (kind == "hourly") & happens(rng, settings.fraud.padded_contracts, count)
    rate = np.rint(rng.lognormal(3.2, 0.5, count)).astype(np.int64) * 100
    agreed = np.where(kind == "hourly", rate, np.maximum(paid, rows["minor"]))
    return {
        "contract": number,
        "client": rows["payer"],
        "freelancer": rows["payee"],
        "post": post,
        "kind": kind,
        "minor": agreed,
        "currency": geography.CURRENCY[people["country"][rows["payer"]]],
        **_span(rng, settings, people, posts, {"post": post, "at_once": at_once, "last_ms": last, **rows}),
        "typology": np.where(padded, PADDED, typology),
    }


def _posts(posts: Columns, contract: Array) -> Ints:
    """Return the post that led to each contract; -1 where none did."""
    with_contract = np.flatnonzero(posts["contract"] >= 0)
    order = with_contract[np.argsort(posts["contract"][with_contract], kind="stable")]
    known = posts["contract"][order]
    place = np.searchsorted(known, contract).clip(0, max(0, len(known) - 1))
    found: Ints = np.where(known[place] == contract, posts["post"][order][place], -1)
    return found


def _span(
    rng: np.random.Generator, settings: SimulationSettings, people: Columns, posts: Columns, rows: Columns
) -> Columns:
    """Return start, end and how it ends: begun before the first payment, ended some days after the last."""
    count = size(rows)
    both = np.maximum(people["signup_ms"][rows["payer"]], people["signup_ms"][rows["payee"]])
    since = np.where(rows["post"] >= 0, posts["ms"][np.maximum(rows["post"], 0)], both)
    lead = np.where(rows["at_once"], rng.exponential(0.3, count), rng.exponential(12.0, count)) * HOUR_MS
    start = np.maximum(rows["ms"] - lead.astype(np.int64), np.maximum(since, both) + 1_000)
    start = np.minimum(start, rows["ms"])
    days = np.where(rows["at_once"], rng.exponential(0.4, count), rng.lognormal(1.2, 0.9, count))
    end = rows["last_ms"] + (days * DAY_MS).astype(np.int64) + 60_000
    goes_on = ~rows["at_once"] & happens(rng, 0.1, count)
    return {
        "start_ms": start,
        "end_ms": np.where(goes_on, settings.end_ms, end),
        "end_reason": choice(rng, _REASONS, (88, 8, 4), count),
    }


def contract_changes(settings: SimulationSettings, terms: Columns) -> Columns:
    """Return the change log of ``contracts``, sorted by ``lsn``: a row when each begins, another when it ends."""
    rng = stream(settings.seed, "contract changes")
    ended = take(terms, terms["end_ms"] < settings.end_ms)
    begun = terms | {"ms": terms["start_ms"]} | _state("I", "active", size(terms))
    done = ended | {"ms": ended["end_ms"]} | _state("U", "ended", size(ended))
    rows = stack([begun, done])
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    is_over: Flags = rows["status"] == "ended"
    reason = rows["end_reason"].astype(object)
    reason[~is_over] = None
    return rows | {
        "lsn": 5_000_000 + np.cumsum(rng.integers(1, 9, size(rows))),
        "end_reason": reason,
        "ended_ms": np.where(is_over, rows["end_ms"], -1),
    }


def _state(op: str, status: str, count: int) -> Columns:
    return {"op": np.full(count, op), "status": np.full(count, status)}
