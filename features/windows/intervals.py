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


class Passed:
    """Points against probes: how many, and how much, each probe has behind it."""

    def __init__(self, points: Ints, probes: Ints) -> None:
        # Rows come sorted by key and time, so points are nearly in order, which the search is quick with.
        self.next = np.searchsorted(probes, points, side="right").astype(np.int64)
        self._probes = len(probes)
        self._totals: dict[int, tuple[Ints, Ints]] = {}

    @cached_property
    def count(self) -> Ints:
        """How many points lie before each probe."""
        return np.cumsum(np.bincount(self.next, minlength=self._probes + 1)[: self._probes])

    def greatest(self, values: Ints) -> Ints:
        """The greatest of the values, none of them below -1, of the points before each probe."""
        met = np.full(self._probes + 1, -1, dtype=np.int64)
        np.maximum.at(met, self.next, values)
        return np.maximum.accumulate(met[: self._probes])

    def total(self, values: Ints) -> Ints:
        """Sum of the values of the points before each probe; kept for whoever asks next."""
        # The values are kept with their sum, so that no others can take their place in memory.
        kept = self._totals.get(id(values))
        if kept is None:
            met = np.zeros(self._probes + 1, dtype=np.int64)
            np.add.at(met, self.next, values)
            kept = self._totals[id(values)] = (values, np.cumsum(met[: self._probes]))
        return kept[1]


@dataclass(frozen=True, slots=True)
class Begun:
    """Starts of intervals against probes: what all windows over the same rows have in common."""

    starts: Ints
    probes: Ints
    passed: Passed

    @classmethod
    def of(cls, starts: Ints, probes: Ints) -> Begun:
        """Of intervals that begin at these instants, and probes in order."""
        return cls(starts, probes, Passed(starts, probes))


@dataclass(frozen=True, slots=True)
class Cover:
    """Intervals whose run of probes two blocks of ``size``, a power of two, cover: where each block begins."""

    size: int
    rows: Ints
    begin: Ints
    second: Ints


class Alive:
    """Intervals (start, end] against probes: how running totals at probes are read off.

    An interval that ends before it starts has its end moved to its start: entering and leaving then cancel out.
    """

    def __init__(self, begun: Begun, ends: Ints) -> None:
        self.starts, self.probes, self._entered = begun.starts, begun.probes, begun.passed
        self.ends = np.maximum(begun.starts, ends)
        self._left = Passed(self.ends, begun.probes)
        self._covers: dict[int, tuple[Bools, list[Cover]]] = {}

    @classmethod
    def of(cls, starts: Ints, ends: Ints, probes: Ints) -> Alive:
        """Of intervals that no other window shares."""
        return cls(Begun.of(starts, probes), ends)

    def count(self) -> Ints:
        """Number of intervals that contain each probe."""
        return self._entered.count - self._left.count

    def total(self, values: Ints) -> Ints:
        """Exact sum of the values of the intervals that contain each probe, as long as it is below 2^63.

        Running totals may wrap around; their difference is right all the same.
        """
        return self._entered.total(values) - self._left.total(values)

    def greatest(self, values: Ints, valid: Bools) -> tuple[Ints, Bools]:
        """Greatest value among the intervals that contain each probe, and whether there is one.

        Each interval covers a run of probes. Its value goes into the two overlapping blocks of a power of two that
        cover the run, and is then handed down level by level: a sparse table, used backwards.
        """
        best = np.full(len(self.probes), _LOWEST, dtype=np.int64)
        for number, cover in enumerate(self._covered(valid)):
            if number:
                handed = best.copy()
                np.maximum(handed[cover.size :], best[: -cover.size], out=handed[cover.size :])
                best = handed
            brought = values[cover.rows]
            np.maximum.at(best, cover.begin, brought)
            np.maximum.at(best, cover.second, brought)
        return best, best != _LOWEST

    def _covered(self, valid: Bools) -> list[Cover]:
        """How the valid intervals cover probes, from the largest blocks to those of one; kept for the next values."""
        kept = self._covers.get(id(valid))
        if kept is None:
            used = np.flatnonzero(valid & (self._left.next > self._entered.next))
            first = self._entered.next[used]
            length = self._left.next[used] - first
            level = (np.frexp(length.astype(np.float64))[1] - 1).astype(np.int8)
            covers = []
            for power in range(int(level.max(initial=0)), -1, -1):
                here = np.flatnonzero(level == power)
                begin = first[here]
                covers.append(Cover(1 << power, used[here], begin, begin + length[here] - (1 << power)))
            kept = self._covers[id(valid)] = (valid, covers)
        return kept[1]

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
