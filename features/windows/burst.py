"""Bursts: the most rows that a short span held at once, as it was known at the time."""

from __future__ import annotations

import numpy as np

from features.windows.intervals import Alive, Bools, Ints, Ranks


def heights(keys: Ints, times: Ints, span: tuple[Ints, Ints], valid: Bools, short: int) -> tuple[Ints, Bools]:
    """How many rows were held right after each row began to count, itself among them; and which rows were held at all.

    Args:
        keys: key number of each row.
        times: when each row happened, in microseconds.
        span: from when, and until when, each row counts.
        valid: which rows are counted.
        short: how long a row is held, in microseconds.
    """
    starts, until = span
    # A row that came too late for its own span was never held.
    held = valid & (starts < until) & (starts < times + short)
    at, found = np.flatnonzero(held), np.zeros(len(keys), dtype=np.int64)
    keys, starts, ends = keys[at], starts[at], np.minimum(times[at] + short, until[at])
    # Right after its start: the first instant at which the row itself is counted.
    axis = Ranks.of(starts, starts + 1, ends)
    after = axis.fold(keys, starts + 1)
    order = np.argsort(after, kind="stable")
    found[at[order]] = Alive.of(axis.fold(keys, starts), axis.fold(keys, ends), after[order]).count()
    return found, held


def burst(keys: Ints, seen: tuple[Ints, Ints], heights: Ints, held: Bools, probes: tuple[Ints, Ints]) -> Ints:
    """The greatest height for each probe; 0 where no row became known in the window.

    Args:
        keys: key number of each row.
        seen: after which instant, and until which, probes see each row's height.
        held: which rows have one.
        probes: key number and time of each probe.
    """
    axis = Ranks.of(*seen, probes[1])
    starts, ends = (axis.fold(keys, edge) for edge in seen)
    best, found = Alive.of(starts, ends, axis.fold(*probes)).greatest(heights, held)
    return np.where(found, best, 0)
