"""Shannon entropy of the values in a window, exact and the same in any order.

With n rows of which c_v have value v, H = log n - (Σ c_v·log c_v)/n. The sum changes by a known step whenever a row
enters or leaves, so it is a running total like any other, kept in whole 2^-30 bits.
"""

from __future__ import annotations

import numpy as np

from features.windows.intervals import Alive, Bools, Floats, Ints
from features.windows.values import Nameless

_UNIT = 2.0**30


def entropy(
    alive: Alive, codes: Ints, weights: Ints, nameless: Nameless | None = None
) -> tuple[Floats, Bools]:
    """Bits for each probe, and whether any row is there.

    Args:
        codes: numbers that are different for different values.
        weights: how many rows with that value each row stands for; 0 for one without a value.
        nameless: values of which there is no row.
    """
    counts, valid = alive.total(weights), weights > 0
    used = np.flatnonzero(valid & (alive.starts < alive.ends))
    at = np.concatenate([alive.starts[used], alive.ends[used]])
    step = np.concatenate([weights[used], -weights[used]])
    code = np.tile(codes[used], 2)
    order = np.lexsort((-step, at, code))
    at, step, code = at[order], step[order], code[order]
    running = np.cumsum(step)  # steps of a value add up to 0 within each key, so the next begins at 0 again
    change = _scaled(running) - _scaled(running - step)
    by_time = np.argsort(at, kind="stable")
    summed = np.concatenate([[0], np.cumsum(change[by_time])])
    weighed = summed[np.searchsorted(at[by_time], alive.probes, side="left")]
    if nameless is not None:
        counts = counts + alive.total(nameless.values * nameless.rows)
        weighed = weighed + alive.total(nameless.values * _scaled(nameless.rows))
    found = counts > 0
    size = np.where(found, counts, 1)
    bits = np.log2(size) - weighed / _UNIT / size
    return np.maximum(bits, 0.0), found


def _scaled(counts: Ints) -> Ints:
    """c·log2 c in units of 2^-30, rounded."""
    sizes = np.maximum(counts, 1).astype(np.float64)
    rounded: Ints = np.rint(sizes * np.log2(sizes) * _UNIT).astype(np.int64)
    return rounded
