"""What a measure reads of each event, and what an event adds to a count and to a sum.

An event stands for itself, or is the summary of many: then it has a part in some aggregates only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.declare import Kind
from features.windows.block import (
    EDGE,
    GREATEST,
    ITSELF,
    LEAST,
    SQUARES_HIGH,
    SQUARES_LOW,
    SUMMED,
    VALUE,
    WEIGHED_HIGH,
    WEIGHED_LOW,
)
from features.windows.exact import Carried, Spread, largest_size
from features.windows.intervals import Bools, Ints

# The summaries that an aggregate takes as if they were events.
_TAKES: dict[Kind, int] = {
    "min": LEAST, "hours_since_first": LEAST, "max": GREATEST, "hours_since_last": GREATEST,
    "first": EDGE, "last": EDGE, "distinct": VALUE, "approx_distinct": VALUE, "entropy": VALUE,
}  # fmt: skip


# Those that bring products, in two parts.
_PRODUCTS: dict[Kind, tuple[int, int]] = {
    "std": (SQUARES_HIGH, SQUARES_LOW),
    "decayed": (WEIGHED_HIGH, WEIGHED_LOW),
}


@dataclass(frozen=True, slots=True)
class Nameless:
    """Values that rows bring by number alone: how many they are, and of how many rows each."""

    values: Ints
    rows: Ints

    @classmethod
    def among(cls, brought: Bools, values: Ints, rows: Ints) -> Nameless | None:
        """Of the rows that ``brought`` marks; None where there are none."""
        if not brought.any():
            return None
        return cls(*(np.where(brought, numbers, 0) for numbers in (values, rows)))


@dataclass(frozen=True)
class Values:
    """A measure's value of each event.

    Attributes:
        valid: which events have a value of their own.
        ones: how many rows an event adds to a count.
        zeroed: what it adds to a sum.
        carried: what summaries bring to a standard deviation or a decay; None where there are none.
        nameless: what they bring to a count of different values.
        heights: how high a burst stood at rows of hot keys and summaries, and which of them tell it.
    """

    values: Ints
    valid: Bools
    ones: Ints
    zeroed: Ints
    carried: Carried | None = None
    nameless: Nameless | None = None
    heights: tuple[Ints, Bools] | None = None

    @classmethod
    def of(cls, values: Ints, valid: Bools, ones: Ints) -> Values:
        """Of events that stand for themselves."""
        return cls(values, valid, ones, np.where(valid, values, 0))

    @classmethod
    def summarised(cls, kind: Kind, values: Ints, valid: Bools, stands_for: Ints, ones: Ints) -> Values:
        """Of events and summaries.

        Args:
            values: a summary's value is what it adds, or stands with, in the aggregates it is for.
            stands_for: what each row is.
            ones: how many rows each adds to a count, as ``counted`` gives them.
        """
        own = valid & (stands_for == ITSELF)
        taken = own | (valid & (stands_for == _TAKES[kind])) if kind in _TAKES else own
        sums = np.where(stands_for == SUMMED, values, 0)
        zeroed = np.where(own, values, 0)
        if kind not in _PRODUCTS:
            return cls(values, taken, ones, zeroed + sums)
        high, low = (np.where(valid & (stands_for == part), values, 0) for part in _PRODUCTS[kind])
        return cls(values, taken, ones, zeroed, Carried(sums, high, low))

    @cached_property
    def spread(self) -> Spread:
        """What a standard deviation sums up."""
        return Spread(self.zeroed, self.carried)

    def largest_sum(self, rows: int) -> int:
        """No sum over that many rows is greater."""
        size = largest_size(self.zeroed[self.valid]) * rows
        return size + int(np.abs(self.zeroed[~self.valid]).astype(np.float64).sum())


def counted(kind: int, values: Ints, valid: Bools, stands_for: Ints) -> Ints:
    """How many rows each event or summary adds to a count.

    Args:
        kind: the summaries that have a part in it.
        values: how many rows such a summary stands for.
    """
    ones: Ints = np.where(stands_for == ITSELF, 1, np.where(stands_for == kind, values, 0))
    return np.where(valid, ones, 0)
