"""The aggregates: each gives one feature, for every probe of a block, from the rows that one window holds.

Integers come out in units of the smallest decimal place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.declare import Kind
from features.windows.block import ITSELF
from features.windows.burst import burst, heights
from features.windows.decay import decayed, reach, weights
from features.windows.entropy import entropy
from features.windows.exact import Weighed
from features.windows.intervals import FOREVER, Alive, Axis, Begun, Bools, Floats, Ints
from features.windows.plan import DIGITS, SLOTS, MeasurePlan
from features.windows.values import Values
from lake.errors import SchemaError

_MICROS_PER_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Probes:
    """Probes sorted by ``folded``: their coordinate, key number and time."""

    axis: Axis
    folded: Ints
    keys: Ints
    times: Ints


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one group: key number, when they happened, from and until when they count.

    ``rank`` is their place in the order of (time, id), where an aggregate needs it. ``serves`` are the bits of the
    windows they count in, ``stands_for`` says what each is: both only where a key is cut into sections.
    """

    keys: Ints
    times: Ints
    start: Ints
    until: Ints
    rank: Ints | None
    serves: Ints | None = None
    stands_for: Ints | None = None

    def begun(self, probes: Probes) -> Begun:
        """What is the same in every window."""
        return Begun.of(probes.axis.fold(self.keys, self.start), probes.folded)

    def alive(self, begun: Begun, axis: Axis, micros: int | None, bit: int) -> Alive:
        """The rows as intervals in which a window of that length holds them; ``bit`` is the window's in ``serves``."""
        return Alive(begun, axis.fold(self.keys, self.ends(micros, bit)))

    def ends(self, micros: int | None, bit: int) -> Ints:
        """Until when a window of that length holds each row."""
        ends = self.until if micros is None else np.minimum(self.times + micros, self.until)
        return self.served(ends, bit)

    def served(self, ends: Ints, bit: int) -> Ints:
        """The ends of rows, for ever those of summaries; where a row does not serve, its start."""
        if self.serves is not None and self.stands_for is not None:
            ends = np.where(self.stands_for == ITSELF, ends, self.until)
            ends = np.where(self.serves & (1 << bit), ends, self.start)
        return ends


@dataclass(frozen=True, slots=True)
class Asked:
    """One feature of a block: what is measured, over which window (microseconds, None is lifetime), of which rows.

    ``bit`` is the place of its bit in what rows serve.
    """

    measure: MeasurePlan
    micros: int | None
    bit: int
    read: Values
    events: Events
    alive: Alive
    probes: Probes

    @property
    def counts(self) -> Ints:
        """How many rows with a value each probe sees."""
        return self.alive.total(self.read.ones)

    @property
    def unit(self) -> int:
        """How many of the smallest decimal place make one."""
        return int(10**self.measure.scale)


def aggregate(asked: Asked) -> pa.Array:
    """The feature's value for each probe.

    Raises:
        SchemaError: a sum does not fit into 64 bits.
    """
    return _AGGREGATES[asked.measure.kind](asked)


def _count(asked: Asked) -> pa.Array:
    return pa.array(asked.counts)


def _is_new(asked: Asked) -> pa.Array:
    return pa.array(asked.counts == 0)


def _sum(asked: Asked) -> pa.Array:
    return pa.array(_summed(asked))


def _mean(asked: Asked) -> pa.Array:
    counts = asked.counts
    return _ratio(_summed(asked), counts * asked.unit, counts > 0)


def _std(asked: Asked) -> pa.Array:
    counts = asked.counts
    found = counts > 1
    pairs = np.where(found, counts * (counts - 1.0), 1.0)
    spread = asked.read.spread.squared_deviation(asked.alive, counts)
    return pa.array(np.sqrt(spread / pairs) / asked.unit, mask=~found)


def _greatest(asked: Asked) -> tuple[Ints, Bools]:
    return asked.alive.greatest(asked.read.values, asked.read.valid)


def _least(asked: Asked) -> tuple[Ints, Bools]:
    best, found = asked.alive.greatest(-asked.read.values, asked.read.valid)
    return -best, found


def _max(asked: Asked) -> pa.Array:
    best, found = _greatest(asked)
    return pa.array(best, mask=~found)


def _min(asked: Asked) -> pa.Array:
    best, found = _least(asked)
    return pa.array(best, mask=~found)


def _hours_since_last(asked: Asked) -> pa.Array:
    latest, found = _greatest(asked)
    return _hours(asked.probes.times - latest, found)


def _hours_since_first(asked: Asked) -> pa.Array:
    earliest, found = _least(asked)
    return _hours(asked.probes.times - earliest, found)


def _first(asked: Asked) -> pa.Array:
    return _edge(asked, -1)


def _last(asked: Asked) -> pa.Array:
    return _edge(asked, 1)


def _distinct(asked: Asked) -> pa.Array:
    return pa.array(_different(asked))


def _approx_distinct(asked: Asked) -> pa.Array:
    taken = _different(asked)
    return pa.array(np.rint(SLOTS * np.log(SLOTS / np.maximum(SLOTS - taken, 1))).astype(np.int64))


def _entropy(asked: Asked) -> pa.Array:
    bits, found = entropy(asked.alive, asked.read.values, asked.read.ones, asked.read.nameless)
    return pa.array(bits, mask=~found)


def _decayed(asked: Asked) -> pa.Array:
    events, probes, half_life = asked.events, asked.probes, asked.measure.span
    span = events.start, events.ends(reach(half_life, asked.micros), asked.bit)
    weighed = Weighed(asked.read.zeroed, weights(events.times, half_life), asked.read.carried)
    sums = decayed(events.keys, events.times, span, weighed, (probes.keys, probes.times), half_life)
    return pa.array(sums / asked.unit)


def _burst(asked: Asked) -> pa.Array:
    events, probes = asked.events, asked.probes
    span = events.start, events.until
    high, held = heights(events.keys, events.times, span, asked.read.valid, asked.measure.span)
    if asked.read.heights is not None:
        told, is_told = asked.read.heights
        high, held = np.where(is_told, told, high), held | is_told
    ends = np.full(len(high), FOREVER) if asked.micros is None else events.start + asked.micros
    seen = events.start, events.served(ends, asked.bit)
    return pa.array(burst(events.keys, seen, high, held, (probes.keys, probes.times)))


_AGGREGATES: Mapping[Kind, Callable[[Asked], pa.Array]] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "std": _std,
    "share": _mean,
    "min": _min,
    "max": _max,
    "first": _first,
    "last": _last,
    "distinct": _distinct,
    "approx_distinct": _approx_distinct,
    "entropy": _entropy,
    "hours_since_last": _hours_since_last,
    "hours_since_first": _hours_since_first,
    "is_new": _is_new,
    "decayed": _decayed,
    "burst": _burst,
}


def _summed(asked: Asked) -> Ints:
    rows = int(asked.alive.count().max(initial=0))
    largest = asked.read.largest_sum(rows)
    if largest >= 10**DIGITS:
        raise SchemaError(
            f"{asked.measure.outputs[0].name}: a sum over {rows} rows may come to {largest} of the smallest decimal "
            f"place, which has more than {DIGITS} digits; declare fewer decimal places"
        )
    return asked.alive.total(asked.read.zeroed)


def _different(asked: Asked) -> Ints:
    """How many different values each probe sees."""
    named = asked.alive.distinct(asked.read.values, asked.read.valid)
    nameless = asked.read.nameless
    return named if nameless is None else named + asked.alive.total(nameless.values)


def _edge(asked: Asked, sign: int) -> pa.Array:
    """The value of the last row by rank, or of the first."""
    rank = asked.events.rank
    if rank is None:
        raise AssertionError("the plan brings no ids, and first and last are ranked by them")
    best, found = asked.alive.greatest(sign * rank, asked.read.valid)
    by_rank = np.zeros(len(rank) + 1, dtype=np.int64)
    by_rank[rank] = asked.read.values
    return pa.array(by_rank[np.where(found, sign * best, len(rank))], mask=~found)


def _ratio(numerator: Ints, denominator: Ints, found: Bools) -> pa.Array:
    quotient: Floats = numerator / np.where(found, denominator, 1)
    return pa.array(quotient, mask=~found)


def _hours(micros: Ints, found: Bools) -> pa.Array:
    return pa.array(np.where(found, micros, 0) / _MICROS_PER_HOUR, mask=~found)
