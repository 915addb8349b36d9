"""Sums that stay exact however large: 64 bits where that is enough, 128 where not, else Python's integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.windows.block import PRODUCT_BITS
from features.windows.intervals import Alive, Bools, Floats, Ints
from features.windows.wide import Wide

_QUARTER = 32


def largest_size(values: Ints) -> int:
    """The greatest absolute value; 0 where there are none."""
    return max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))


@dataclass(frozen=True, slots=True)
class Carried:
    """Sums that rows bring ready: of values, and of their products (with themselves, or with weights).

    Products are in two parts: what is above 62 bits, which may be negative, and the rest.
    """

    sums: Ints
    products_high: Ints
    products_low: Ints

    @property
    def products(self) -> Wide:
        """In one piece."""
        above = (self.products_high >> (64 - PRODUCT_BITS)).view(np.uint64)
        low = (self.products_high << PRODUCT_BITS) | self.products_low
        return Wide(above, low.view(np.uint64))


class Weighed:
    """What rows add to a weighed sum: a value times a weight, or a sum of such products that they bring ready."""

    def __init__(self, values: Ints, weights: Ints, carried: Carried | None = None) -> None:
        """Of rows that have a value, or in its place products that are carried; 0 in both is nothing."""
        self._values, self._weights, self._carried = values, weights, carried

    def of(self, rows: Ints) -> Weighed:
        """The rows at these places alone."""
        brought = self._carried
        if brought is not None:
            brought = Carried(brought.sums[rows], brought.products_high[rows], brought.products_low[rows])
        return Weighed(self._values[rows], self._weights[rows], brought)

    @property
    def is_something(self) -> Bools:
        """Which rows add anything."""
        something: Bools = self._values != 0
        if self._carried is not None:
            something = something | (self._carried.products_high != 0) | (self._carried.products_low != 0)
        return something

    @cached_property
    def _products(self) -> Wide:
        sizes = Wide.product(np.abs(self._values).view(np.uint64), self._weights.view(np.uint64))
        products = sizes.negated(self._values < 0)
        return products if self._carried is None else products.plus(self._carried.products)

    @cached_property
    def _small_products(self) -> Ints:
        products = self._values * self._weights
        return products if self._carried is None else products + self._carried.products.low.view(np.int64)

    @cached_property
    def _quarters(self) -> list[Ints]:
        return [quarter.view(np.int64) for quarter in self._products.quarters]

    @cached_property
    def _all(self) -> float:
        """No sum is greater."""
        own = float(np.abs(self._values.astype(np.float64) * self._weights).sum())
        return (
            own
            if self._carried is None
            else own + float(np.abs(self._carried.products.rounded_signed()).sum())
        )

    def total(self, alive: Alive) -> Floats:
        """The sum for each probe, exact and then rounded once."""
        if self._all < 2.0**62:
            return alive.total(self._small_products).astype(np.float64)
        totals = [alive.total(quarter).view(np.uint64) for quarter in self._quarters]
        return Wide.of_quarters(totals).rounded_signed()


class Spread:
    """What a standard deviation sums up: each row's value and its square, the same in every window."""

    def __init__(self, values: Ints, carried: Carried | None = None) -> None:
        """Of rows that have a value, or in its place sums that are carried; 0 in both is nothing."""
        sizes = np.abs(values).view(np.uint64)
        squares = Wide.product(sizes, sizes)
        self._sums = values
        if carried is not None:
            squares = squares.plus(carried.products)
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
