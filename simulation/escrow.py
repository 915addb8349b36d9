"""Escrow, one row per event: money is funded by a payment, and released to the payee or refunded to the payer."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.population import DAY_MS, HOUR_MS
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

PLATFORM = -1  # releases what no client releases in time
_AUTO_DAYS = 14
# Typologies whose money is released within a day, if not by the victim.
_IN_A_HURRY = ("T1", "T2", "T3", "T6", "T7", "T9")


def releases(settings: SimulationSettings, payments: Columns) -> Columns:
    """Return for every payment when its money is released, if it is approved, and whether by the platform."""
    rng = stream(settings.seed, "releases")
    count = size(payments)
    how = choice(rng, ("at once", "later", "never"), (50, 38, 12), count)
    hurried = np.isin(payments["typology"], _IN_A_HURRY)
    automatic = (how == "never") & ~hurried
    hours = np.select(
        [hurried, how == "at once", automatic],
        [rng.exponential(4.0, count), rng.exponential(0.2, count), np.full(count, 24.0 * _AUTO_DAYS)],
        rng.exponential(50.0, count).clip(0.0, 24.0 * _AUTO_DAYS - 1.0),
    )
    after = (hours * HOUR_MS).astype(np.int64) + rng.integers(20_000, 90_000, count)
    return {"released_ms": payments["ms"] + after, "is_automatic": automatic}


def escrow_events(settings: SimulationSettings, payments: Columns, disputes: Columns) -> Columns:
    """Return the events of the period's approved payments, sorted by time; ``actor`` is an account or ``PLATFORM``.

    A refund claim that succeeds gives the money back some days after it, released or not.
    """
    rng = stream(settings.seed, "escrow")
    paid = take(payments, payments["approved"])
    claims = take(disputes, disputes["kind"] == "refund_claim")
    claimed = take(claims, happens(rng, 0.7, size(claims)))
    refunded_ms = claimed["ms"] + (rng.uniform(1.0, 7.0, size(claimed)) * DAY_MS).astype(np.int64)
    position = np.searchsorted(payments["payment"], claimed["payment"])
    returned = take(payments, position)
    kept: Flags = ~_is_back_before(paid, claimed["payment"], refunded_ms)
    released = take(paid, kept)
    releaser = np.where(released["is_automatic"], PLATFORM, released["payer"])
    rows = stack(
        [
            _event(paid, "fund", paid["ms"] + rng.integers(300, 3_000, size(paid)), paid["payer"]),
            _event(released, "release", released["released_ms"], releaser),
            _event(returned, "refund", refunded_ms, np.full(size(returned), PLATFORM)),
        ]
    )
    rows["kind"] = np.where(
        (rows["kind"] == "release") & (rows["actor"] == PLATFORM), "auto_release", rows["kind"]
    )
    rows = take(rows, rows["ms"] < settings.end_ms)
    return take(rows, np.argsort(rows["ms"], kind="stable"))


def _is_back_before(paid: Columns, payment: Array, refunded_ms: Ints) -> Flags:
    """Tell which payments were refunded before they would have been released."""
    back = np.full(int(paid["payment"].max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(back, payment, refunded_ms)
    before: Flags = back[paid["payment"]] < paid["released_ms"]
    return before


def _event(rows: Columns, kind: str, ms: Ints, actor: Array) -> Columns:
    kept = {name: rows[name] for name in ("payment", "contract", "minor", "currency")}
    return kept | {"kind": np.full(size(rows), kind, dtype="<U12"), "ms": ms, "actor": actor}
