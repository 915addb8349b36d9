"""Decaying sums: each row's part is halved with every half-life of its age.

Time is cut into segments of 8 half-lives that begin at fixed instants. Within a segment rows are weighed against its
beginning, in integers, so the same rows give the same bits wherever a build starts and in whatever order they come.
What is older than 32 half-lives counts for nothing, so a probe reads its own segment and the four before.
"""

from __future__ import annotations

import numpy as np

from features.windows.exact import largest_size
from features.windows.intervals import Alive, Floats, Ints, Ranks

_HALVES, _SEGMENTS, _REACH = 8, 5, 32
# A weight keeps 24 bits behind the point, so it is right to 3e-8. Values are weighed ten bits at a time: two million
# rows of one segment cannot overflow.
_WEIGHT_BITS, _LIMB_BITS = 24, 10


def reach(half_life: int) -> int:
    """Microseconds after which a row counts for nothing."""
    return _REACH * half_life


def decayed(
    keys: Ints, times: Ints, span: tuple[Ints, Ints], values: Ints, probes: tuple[Ints, Ints], half_life: int
) -> Floats:
    """The decayed sum for each probe.

    Args:
        keys: key number of each row.
        times: when each row happened, in microseconds.
        span: from when, and until when, each row counts.
        values: what each row weighs.
        probes: key number and time of each probe.
        half_life: in microseconds.
    """
    length = _HALVES * half_life
    probe_keys, probe_times = probes
    sums = np.zeros(len(probe_times))
    if not len(keys):
        return sums
    segment = times // length
    lowest, count = int(segment.min()), int(segment.max() - segment.min()) + 1
    places, place = np.unique(keys * count + segment - lowest, return_inverse=True)
    axis = Ranks.of(probe_times, *span)
    starts, ends = (axis.fold(place, edge) for edge in span)
    parts = _limbs(values, np.rint(np.exp2((times % length) / half_life + _WEIGHT_BITS)).astype(np.int64))
    for back in range(_SEGMENTS):
        wanted = probe_times // length - back
        asked = np.where(
            (wanted >= lowest) & (wanted < lowest + count), probe_keys * count + wanted - lowest, -1
        )
        found = np.minimum(np.searchsorted(places, asked), len(places) - 1)
        hit = np.flatnonzero(places[found] == asked)
        at = axis.fold(found[hit], probe_times[hit])
        order = np.argsort(at, kind="stable")
        alive = Alive.of(starts, ends, at[order])
        weighed = sum(alive.total(part) * 2.0**shift for shift, part in parts)
        hit = hit[order]
        age = probe_times[hit] - wanted[hit] * length
        sums[hit] += weighed * np.exp2(-age / half_life - _WEIGHT_BITS)
    return sums


def _limbs(values: Ints, weights: Ints) -> list[tuple[int, Ints]]:
    """Weighted parts of the values, ten bits each, with the place they stand at."""
    sizes, signs = np.abs(values), np.sign(values)
    shifts = range(0, max(largest_size(values).bit_length(), 1), _LIMB_BITS)
    return [(shift, signs * ((sizes >> shift) & (2**_LIMB_BITS - 1)) * weights) for shift in shifts]
