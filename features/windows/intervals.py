"""The kernel's arithmetic: which intervals (start, end] contain each probe, in numpy, for many keys at once.

Keys and times are folded into one 64-bit coordinate that grows with (key, time), so one binary search serves all
keys. Every function takes coordinates; probes are sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FOREVER = int(np.iinfo(np.int64).max // 2)
_LOWEST = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Axis:
    """Folds (key number, microseconds) into one coordinate; times beyond every probe are cut to just outside."""

    low: int
    span: int

    @classmethod
    def around(cls, probe_times: Ints) -> Axis:
        low, high = int(probe_times.min()) - 1, int(probe_times.max()) + 1
        return cls(low, high - low + 1)

    def fits(self, keys: int) -> bool:
        """Whether that many keys have coordinates below 2^62."""
        return keys * self.span < 2**62

    def fold(self, keys: Ints, times: Ints) -> Ints:
        folded: Ints = keys * self.span + (np.clip(times, self.low, self.low + self.span - 1) - self.low)
        return folded


@dataclass(frozen=True, slots=True)
class Ranks:
    """Folds (key number, microseconds) by the rank of the time: for however many keys, at the cost of a sort."""

    points: Ints

    @classmethod
    def of(cls, *times: Ints) -> Ranks:
        """Ranks in which all of these times are told apart."""
        return cls(np.unique(np.concatenate(times)))

    def fold(self, keys: Ints, times: Ints) -> Ints:
        folded: Ints = keys * len(self.points) + np.searchsorted(self.points, times)
        return folded


class Begun:
    """Starts of intervals against probes: what all windows over the same rows have in common."""

    def __init__(self, starts: Ints, probes: Ints) -> None:
        self.starts, self.probes = starts, probes
        # Rows come sorted by key and time, so they are nearly in order, which a stable sort is quick with.
        self._order = np.argsort(starts, kind="stable")
        self._entered = np.searchsorted(starts[self._order], probes, side="left")
        self._totals: dict[int, tuple[Ints, Ints]] = {}

    @cached_property
    def entered(self) -> Ints:
        """How many intervals begin before each probe."""
        return self._entered.astype(np.int64)

    @cached_property
    def first(self) -> Ints:
        """The first probe after each start."""
        return np.searchsorted(self.probes, self.starts, side="right").astype(np.int64)

    def total(self, values: Ints) -> Ints:
        """Sum of the values of the intervals that begin before each probe; kept for the next window."""
        # The values are kept with their sum, so that no others can take their place in memory.
        kept = self._totals.get(id(values))
        if kept is None:
            running = np.concatenate([[0], np.cumsum(values[self._order])])
            kept = self._totals[id(values)] = (values, running[self._entered])
        return kept[1]


class Alive:
    """Intervals (start, end] against probes: how running totals at probes are read off.

    An interval that ends before it starts has its end moved to its start: entering and leaving then cancel out.
    """

    def __init__(self, begun: Begun, ends: Ints) -> None:
        self._begun = begun
        self.starts, self.probes = begun.starts, begun.probes
        self.ends = np.maximum(self.starts, ends)
        self._end_order = np.argsort(self.ends, kind="stable")
        self._left = np.searchsorted(self.ends[self._end_order], self.probes, side="left")

    @classmethod
    def of(cls, starts: Ints, ends: Ints, probes: Ints) -> Alive:
        """Of intervals that no other window shares."""
        return cls(Begun(starts, probes), ends)

    def count(self) -> Ints:
        """Number of intervals that contain each probe."""
        return self._begun.entered - self._left

    def total(self, values: Ints) -> Ints:
        """Exact sum of the values of the intervals that contain each probe, as long as it is below 2^63.

        Running totals may wrap around; their difference is right all the same.
        """
        leaving = np.concatenate([[0], np.cumsum(values[self._end_order])])
        summed: Ints = self._begun.total(values) - leaving[self._left]
        return summed

    @cached_property
    def _length(self) -> Ints:
        """How many probes each interval contains, from the first after its start."""
        return np.searchsorted(self.probes, self.ends, side="right") - self._begun.first

    def greatest(self, values: Ints, valid: Bools) -> tuple[Ints, Bools]:
        """Greatest value among the intervals that contain each probe, and whether there is one.

        Each interval covers a run of probes. Its value goes into the two overlapping blocks of a power of two that
        cover the run, and is then handed down level by level: a sparse table, used backwards.
        """
        size = len(self.probes)
        used = np.flatnonzero(valid & (self._length > 0))
        first, length, values = self._begun.first[used], self._length[used], values[used]
        best = np.full(size, _LOWEST, dtype=np.int64)
        level = np.frexp(length.astype(np.float64))[1] - 1
        for power in range(int(level.max(initial=0)), -1, -1):
            if power < int(level.max(initial=0)):
                half = 1 << power
                handed = best.copy()
                np.maximum(handed[half:], best[: size - half], out=handed[half:])
                best = handed
            here = level == power
            np.maximum.at(best, first[here], values[here])
            np.maximum.at(best, first[here] + length[here] - (1 << power), values[here])
        return best, best != _LOWEST

    def distinct(self, codes: Ints, valid: Bools) -> Ints:
        """Number of different codes among the intervals that contain each probe.

        Intervals of one code are merged into pieces that do not overlap; then pieces are counted like intervals.
        """
        used = np.flatnonzero(valid & (self.starts < self.ends))
        starts, ends = _pieces(self.starts[used], self.ends[used], codes[used])
        return Alive.of(starts, ends, self.probes).count()


def _pieces(starts: Ints, ends: Ints, codes: Ints) -> tuple[Ints, Ints]:
    """The union of the intervals of each code."""
    if not len(starts):
        return starts, ends
    points = np.unique(np.concatenate([starts, ends]))
    order = np.lexsort((starts, codes))
    base = codes[order] * len(points)
    entering = base + np.searchsorted(points, starts[order])
    reached = np.maximum.accumulate(base + np.searchsorted(points, ends[order]))
    opens = np.concatenate([[True], entering[1:] > reached[:-1]])
    closes = np.concatenate([opens[1:], [True]])
    return points[entering[opens] % len(points)], points[reached[closes] % len(points)]
