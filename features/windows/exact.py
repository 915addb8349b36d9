"""Sums that stay exact however large: 64 bits where that is enough, Python's integers where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.windows.block import SQUARES_BITS
from features.windows.intervals import Alive, Floats, Ints

_LIMB_BITS = 31


def largest_size(values: Ints) -> int:
    """The greatest absolute value; 0 where there are none."""
    return max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))


@dataclass(frozen=True, slots=True)
class Carried:
    """Sums that rows bring ready: of values, and of their squares in two parts (high and low 62 bits)."""

    sums: Ints
    squares_high: Ints
    squares_low: Ints


def squared_deviation(alive: Alive, values: Ints, counts: Ints, carried: Carried | None = None) -> Floats:
    """n·Σv² - (Σv)² for each probe, computed exactly and rounded once: no digits cancel out."""
    if carried is None and largest_size(values) * int(counts.max(initial=0)) < 2**31:
        sums = alive.total(values)
        return np.asarray(counts * alive.total(values * values) - sums * sums, dtype=np.float64)
    squares = _squares(alive, values)
    sums = _total(alive, values)
    if carried is not None:
        sums = sums + _total(alive, carried.sums)
        squares = squares + _total(alive, carried.squares_high) * 2**SQUARES_BITS
        squares = squares + _total(alive, carried.squares_low)
    return np.asarray(counts.astype(object) * squares - sums * sums, dtype=np.float64)


def _total(alive: Alive, values: Ints) -> npt.NDArray[Any]:
    high, low = values >> _LIMB_BITS, values & (2**_LIMB_BITS - 1)
    total: npt.NDArray[Any] = alive.total(high).astype(object) * 2**_LIMB_BITS + alive.total(low).astype(
        object
    )
    return total


def _squares(alive: Alive, values: Ints) -> npt.NDArray[Any]:
    sizes = np.abs(values)
    high, low = sizes >> _LIMB_BITS, sizes & (2**_LIMB_BITS - 1)
    parts = [(high * high, 2 * _LIMB_BITS), (high * low, _LIMB_BITS + 1), (low * low, 0)]
    total: npt.NDArray[Any] = np.zeros(len(alive.probes), dtype=object)
    for part, shift in parts:
        total = total + _total(alive, part) * 2**shift
    return total
