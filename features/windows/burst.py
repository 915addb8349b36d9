"""Bursts: the most rows that a short span held at once, as it was known at the time."""

from __future__ import annotations

import numpy as np

from features.windows.intervals import Alive, Bools, Ints, Ranks


def burst(
    keys: Ints,
    times: Ints,
    span: tuple[Ints, Ints],
    valid: Bools,
    probes: tuple[Ints, Ints],
    lengths: tuple[int, int],
) -> Ints:
    """The greatest count for each probe; 0 where no row became known in the window.

    Args:
        keys: key number of each row.
        times: when each row happened, in microseconds.
        span: from when, and until when, each row counts.
        valid: which rows are counted.
        probes: key number and time of each probe.
        lengths: of the span rows are counted in, and of the window before the probe, in microseconds.
    """
    short, window = lengths
    starts, until = span
    # A row that came too late for its own span was never on the wall.
    used = np.flatnonzero(valid & (starts < until) & (starts < times + short))
    if not len(used):
        return np.zeros(len(probes[0]), dtype=np.int64)
    keys, times, starts, until = keys[used], times[used], starts[used], until[used]
    # Right after its start: the first instant at which the row itself is counted.
    after, ends = starts + 1, np.minimum(times + short, until)
    axis = Ranks.of(starts, after, ends, starts + window, probes[1])
    at = axis.fold(keys, after)
    order = np.argsort(at, kind="stable")
    heights = np.empty(len(used), dtype=np.int64)
    heights[order] = Alive.of(axis.fold(keys, starts), axis.fold(keys, ends), at[order]).count()
    seen = Alive.of(axis.fold(keys, starts), axis.fold(keys, starts + window), axis.fold(*probes))
    best, found = seen.greatest(heights, np.ones(len(used), dtype=np.bool_))
    return np.where(found, best, 0)
