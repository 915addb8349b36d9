"""Sums that stay exact however large: 64 bits where that is enough, 128 where not, else Python's integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.windows.block import SQUARES_BITS
from features.windows.intervals import Alive, Floats, Ints
from features.windows.wide import Wide

_QUARTER = 32


def largest_size(values: Ints) -> int:
    """The greatest absolute value; 0 where there are none."""
    return max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))


@dataclass(frozen=True, slots=True)
class Carried:
    """Sums that rows bring ready: of values, and of their squares in two parts (high and low 62 bits)."""

    sums: Ints
    squares_high: Ints
    squares_low: Ints


class Spread:
    """What a standard deviation sums up: each row's value and its square, the same in every window."""

    def __init__(self, values: Ints, carried: Carried | None = None) -> None:
        """Of rows that have a value, or in its place sums that are carried; 0 in both is nothing."""
        sizes = np.abs(values).view(np.uint64)
        squares = Wide.product(sizes, sizes)
        self._sums = values
        if carried is not None:
            high, low = (part.view(np.uint64) for part in (carried.squares_high, carried.squares_low))
            above = np.uint64(64 - SQUARES_BITS)
            squares = Wide(
                squares.high | (high >> above), squares.low | (high << np.uint64(SQUARES_BITS)) | low
            )
            self._sums = values + carried.sums
        self._squares, self._small_squares = squares, squares.low.view(np.int64)
        self._all = float(squares.high.astype(np.float64).sum()) * 2.0**64
        self._all += float(squares.low.astype(np.float64).sum())

    @cached_property
    def _quarters(self) -> list[Ints]:
        return [quarter.view(np.int64) for quarter in self._squares.quarters]

    def squared_deviation(self, alive: Alive, counts: Ints) -> Floats:
        """n·Σv² - (Σv)² for each probe, computed exactly and rounded once: no digits cancel out."""
        # By Cauchy and Schwarz no square of a sum is larger either.
        largest = self._all * float(counts.max(initial=0))
        if largest < 2.0**62:
            sums = alive.total(self._sums)
            squares = alive.total(self._small_squares)
            return np.asarray(counts * squares - sums * sums, dtype=np.float64)
        totals = [alive.total(quarter) for quarter in self._quarters]
        if largest < 2.0**126:
            wide = Wide.of_quarters([total.view(np.uint64) for total in totals])
            size = np.abs(alive.total(self._sums)).view(np.uint64)
            return wide.times(counts.view(np.uint64)).minus(Wide.product(size, size)).rounded()
        parts = alive.total(self._sums & (2**_QUARTER - 1)), alive.total(self._sums >> _QUARTER)
        whole = parts[0].astype(object) + parts[1].astype(object) * 2**_QUARTER
        square = sum(total.astype(object) * 2 ** (_QUARTER * place) for place, total in enumerate(totals))
        return np.asarray(counts.astype(object) * square - whole * whole, dtype=np.float64)
