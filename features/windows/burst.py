"""Bursts: the most rows that a short span held at once, as it was known at the time."""

from __future__ import annotations

import numpy as np

from features.windows.intervals import Alive, Axis, Bools, Ints


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
    after = Axis.around(np.concatenate([starts + 1, probes[1]]))
    at = after.fold(keys, starts + 1)
    order = np.argsort(at, kind="stable")
    ends = np.minimum(times + short, until)
    heights = np.empty(len(used), dtype=np.int64)
    heights[order] = Alive.of(after.fold(keys, starts), after.fold(keys, ends), at[order]).count()
    asked = after.fold(*probes)
    seen = Alive.of(after.fold(keys, starts), after.fold(keys, starts + window), asked)
    best, found = seen.greatest(heights, np.ones(len(used), dtype=np.bool_))
    return np.where(found, best, 0)
