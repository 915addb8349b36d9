"""Decaying sums: each row's part is halved with every half-life of its age.

Time is cut into segments of 8 half-lives that begin at fixed instants. Within a segment rows are weighed against its
beginning, in integers, so the same rows give the same bits wherever a build starts, in whatever order they come, and
whether they come one by one or summed up. What is older than 32 half-lives counts for nothing, so a probe reads its own
segment and the four before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyspark.sql import Column
from pyspark.sql.pandas.functions import pandas_udf

from features.windows.exact import Weighed
from features.windows.intervals import Alive, Floats, Ints, Ranks

_HALVES, _SEGMENTS, _REACH = 8, 5, 32
# A weight keeps 24 bits behind the point, so it is right to 3e-8.
_WEIGHT_BITS = 24


def reach(half_life: int, window: int | None) -> int:
    """Microseconds after which a row counts for nothing in a window; None is lifetime."""
    whole = _REACH * half_life
    return whole if window is None else min(window, whole)


def segment(half_life: int) -> int:
    """How long a segment is, in microseconds. One begins at every multiple of it."""
    return _HALVES * half_life


def weights(times: Ints, half_life: int) -> Ints:
    """What rows of these times (microseconds) weigh in their segments: 2^24 at the beginning, 2^32 at the end."""
    halves = (times % segment(half_life)) / half_life
    weighed: Ints = np.rint(np.exp2(halves + _WEIGHT_BITS)).astype(np.int64)
    return weighed


def weight(time: Column, half_life: int) -> Column:
    """The same as a column. By the same code, for Java's powers may differ in their last bit."""

    def weigh(times: pd.Series) -> pd.Series:
        return pd.Series(weights(times.to_numpy(), half_life))

    weighed: Column = pandas_udf(weigh, "long")(time)  # type: ignore[call-overload]  # it takes longs too
    return weighed


def decayed(
    keys: Ints,
    times: Ints,
    span: tuple[Ints, Ints],
    weighed: Weighed,
    probes: tuple[Ints, Ints],
    half_life: int,
) -> Floats:
    """The decayed sum for each probe.

    Args:
        keys: key number of each row.
        times: when each row happened, in microseconds; of what sums up a segment, when that begins.
        span: from when, and until when, each row counts.
        weighed: what each row adds to its segment.
        probes: key number and time of each probe.
        half_life: in microseconds.
    """
    length = segment(half_life)
    probe_keys, probe_times = probes
    sums = np.zeros(len(probe_times))
    used = np.flatnonzero(weighed.is_something & (span[0] < span[1]))
    if not len(used):
        return sums
    keys, span, weighed = keys[used], (span[0][used], span[1][used]), weighed.of(used)
    number = times[used] // length
    lowest, count = int(number.min()), int(number.max() - number.min()) + 1
    places, place = np.unique(keys * count + number - lowest, return_inverse=True)
    axis = Ranks.of(probe_times, *span)
    starts, ends = (axis.fold(place, edge) for edge in span)
    for back in range(_SEGMENTS):
        wanted = probe_times // length - back
        asked = np.where(
            (wanted >= lowest) & (wanted < lowest + count), probe_keys * count + wanted - lowest, -1
        )
        found = np.minimum(np.searchsorted(places, asked), len(places) - 1)
        hit = np.flatnonzero(places[found] == asked)
        at = axis.fold(found[hit], probe_times[hit])
        order = np.argsort(at, kind="stable")
        total = weighed.total(Alive.of(starts, ends, at[order]))
        hit = hit[order]
        age = probe_times[hit] - wanted[hit] * length
        sums[hit] += total * np.exp2(-age / half_life - _WEIGHT_BITS)
    return sums
