"""What the kernel has to compute for one entity, as plain data that travels to executors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    ShortType,
)

from features.declare import Entity, FeatureGroup, FeatureView, Kind, Link, Measure, SqlSource
from features.derived_source import events_after, has_bounds
from features.links import KnownLinks, source_of
from features.source import Source
from features.windows.block import KIND_BITS
from features.windows.decay import reach
from lake.contracts import REVISION
from lake.errors import SchemaError

# Linear counting: values fall into this many slots, and empty slots tell how many values there were.
SLOTS = 4096

# Decimals of more digits are objects to Spark, and ten times as dear to move and to write.
DIGITS = 18

_NUMBERS = (DecimalType, LongType, IntegerType, ShortType, BooleanType)
_DOUBLE = {"mean", "std", "share", "entropy", "hours_since_last", "hours_since_first", "decayed"}
TOLD_APART = ("distinct", "entropy")
BY_VALUE = (*TOLD_APART, "approx_distinct")
_VALUE = {"sum", "min", "max", "first", "last"}


@dataclass(frozen=True, slots=True)
class Output:
    """One feature: its name and the window it looks at (microseconds; None is lifetime)."""

    name: str
    micros: int | None


@dataclass(frozen=True, slots=True)
class MeasurePlan:
    """One aggregate over several windows.

    Attributes:
        slot: number of the value column it reads; None where it reads none.
        scale: decimal places the values were shifted by to become integers.
        span: the measure's own length of time, in microseconds.
    """

    kind: Kind
    slot: int | None
    scale: int
    span: int
    outputs: tuple[Output, ...]

    @property
    def feature_type(self) -> DataType:
        """The type its features have in the table."""
        if self.kind in _DOUBLE:
            return DoubleType()
        if self.kind == "is_new":
            return BooleanType()
        return DecimalType(DIGITS, self.scale) if self.kind in _VALUE and self.scale else LongType()


class Decay(NamedTuple):
    """A decay and how far back it looks, in microseconds."""

    half_life: int
    reach: int


class Burst(NamedTuple):
    """A burst: how long it holds a row, and how far back it looks, in microseconds; None is lifetime."""

    span: int
    window: int | None


class Peak(NamedTuple):
    """What bursts over different windows have in common: the value column of the rows that count, and their span."""

    slot: int | None
    span: int


class Reach(NamedTuple):
    """How long after it happened a row is seen, at least and at most, in microseconds; None is for ever."""

    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One group's rows, told apart by ``stream`` in the exchanged frame.

    Attributes:
        is_revised: later rows may take back or correct earlier ones of the same id.
        has_bounds: what began after an instant can be told without all that was before, and a state can stand for that.
            Not so of what a link makes of logs, and a query that does not say how far it looks back.
    """

    stream: int
    is_revised: bool
    has_bounds: bool
    measures: tuple[MeasurePlan, ...]

    @property
    def windows(self) -> tuple[int | None, ...]:
        """The different windows, in microseconds."""
        return tuple(dict.fromkeys(output.micros for measure in self.measures for output in measure.outputs))

    @property
    def decays(self) -> tuple[Decay, ...]:
        """The different decays."""
        spans = self._spans("decayed")
        return tuple(dict.fromkeys(Decay(half_life, reach(half_life, window)) for half_life, window in spans))

    @property
    def bursts(self) -> tuple[Burst, ...]:
        """The different bursts, but for what they count."""
        return tuple(Burst(span, window) for span, window in self._spans("burst"))

    @property
    def peaks(self) -> tuple[Peak, ...]:
        """The different bursts, but for their windows."""
        return tuple(
            dict.fromkeys(
                Peak(measure.slot, measure.span) for measure in self.measures if measure.kind == "burst"
            )
        )

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """How far back windows, decays and bursts look; a bit of ``serves`` for each, in this order."""
        return (
            *(Reach(micros, micros) for micros in self.windows),
            *(Reach(decay.reach, decay.reach) for decay in self.decays),
            # A row is held until its span has ended, and remembered from the instant at which it was known.
            *(Reach(window, None if window is None else window + span) for span, window in self.bursts),
        )

    def bit(self, measure: MeasurePlan, micros: int | None) -> int:
        """The place of the bit of a measure's window."""
        if measure.kind == "decayed":
            return len(self.windows) + self.decays.index(Decay(measure.span, reach(measure.span, micros)))
        if measure.kind == "burst":
            return len(self.windows) + len(self.decays) + self.bursts.index(Burst(measure.span, micros))
        return self.windows.index(micros)

    def bits_of_decays(self, half_life: int) -> int:
        """The bits of all decays with this half-life."""
        return sum(
            1 << len(self.windows) + n for n, one in enumerate(self.decays) if one.half_life == half_life
        )

    def bits_of_bursts(self, span: int | None = None, *, is_lifetime: bool = False) -> int:
        """The bits of all bursts, or of those with this span; over a lifetime alone or over any window."""
        first = len(self.windows) + len(self.decays)
        return sum(
            1 << first + n
            for n, one in enumerate(self.bursts)
            if span in {None, one.span} and (one.window is None or not is_lifetime)
        )

    def _spans(self, kind: Kind) -> dict[tuple[int, int | None], None]:
        """The different spans of a kind of measure, each with the windows it has."""
        return dict.fromkeys(
            (measure.span, output.micros)
            for measure in self.measures
            if measure.kind == kind
            for output in measure.outputs
        )

    @property
    def lasting_peaks(self) -> dict[int, Peak]:
        """The peaks that a burst over a lifetime remembers, by their number."""
        lasting = {burst.span for burst in self.bursts if burst.window is None}
        return {number: peak for number, peak in enumerate(self.peaks) if peak.span in lasting}

    @property
    def needs_ids(self) -> bool:
        """Whether the kernel has to know the rows' ids."""
        return self.is_revised or any(measure.kind in {"first", "last"} for measure in self.measures)


@dataclass(frozen=True, slots=True)
class ValueColumns:
    """The columns that carry a group's values: numbers as integers, what is told apart as text."""

    numbers: tuple[Column, ...] = ()
    texts: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """A group, the rows it reads, what the kernel computes of them, and the columns it needs brought."""

    group: FeatureGroup
    source: Source
    stream: StreamPlan
    values: ValueColumns

    def where(self, condition: Column) -> PlannedGroup:
        """The same group, of some of its rows."""
        return replace(self, source=replace(self.source, rows=self.source.rows.where(condition)))

    def after(self, since: int, sources: Mapping[str, Source]) -> PlannedGroup:
        """The same group, of no more than what a query makes its rows of that begin to count after an instant.

        Of a log it is the same: conditions on its rows are conditions on its files.
        """
        if not isinstance(self.group.source, SqlSource) or not self.stream.has_bounds:
            return self
        return replace(self, source=events_after(self.group.source, sources, since))

    @property
    def unrevised(self) -> PlannedGroup:
        """The same group, of rows themselves and without what revises them."""
        if not self.source.is_revised:
            return self
        rows = self.source.rows.where(F.col(REVISION).isNull()).drop(REVISION)
        return replace(self, source=replace(self.source, rows=rows))


def plan_entity(
    view: FeatureView,
    entity: Entity,
    sources: Mapping[str, Source],
    known_links: Callable[[int], KnownLinks] | None = None,
) -> list[PlannedGroup]:
    """Every group of ``entity`` with what to compute and the columns to bring.

    Args:
        known_links: gives the first links that were kept of the group with a number.

    Raises:
        SchemaError: a measure sums what is no exact number.
    """
    groups = [group for group in view.groups if group.entity == entity]
    planned = []
    for number, group in enumerate(groups, start=1):
        known = None if known_links is None else partial(known_links, number)
        planned.append(plan_group(group, number, source_of(group, sources, known)))
    return planned


def all_measures(planned: Sequence[PlannedGroup]) -> list[MeasurePlan]:
    """Every measure of every group, in order."""
    return [measure for one in planned for measure in one.stream.measures]


def plan_group(group: FeatureGroup, stream: int, source: Source) -> PlannedGroup:
    """What to compute for one group, of the rows of its source.

    Args:
        stream: tells the group's rows from those of others in the exchange.

    Raises:
        SchemaError: the source lacks a column, a measure sums what is no exact number, or there are too many windows.
    """
    absent = [name for name in ("event_at", "known_at", *group.keys) if name not in source.rows.columns]
    if absent:
        raise SchemaError(
            f"{group.declared}: {group.source} has no {', '.join(absent)}; it has {', '.join(source.rows.columns)}"
        )
    numbers: dict[object, tuple[Column, int]] = {}
    texts: dict[object, Column] = {}
    measures = []
    for measure in group.measures:
        # Measures of the same thing read one column.
        slot, scale, read = None, 0, (measure.of, measure.where, _reads(measure))
        if measure.kind in TOLD_APART:
            texts.setdefault(read, _when(measure, F.expr(str(measure.of)).cast("string")))
            slot = list(texts).index(read)
        elif measure.of is not None or measure.where is not None:
            if read not in numbers:
                value, scale = _number(group, measure, source.rows)
                numbers[read] = _when(measure, value), scale
            slot, scale = list(numbers).index(read), numbers[read][1]
        outputs = tuple(Output(group.feature(measure, w), w.micros) for w in group.windows)
        span = measure.span.micros or 0 if measure.span else 0
        measures.append(MeasurePlan(measure.kind, slot, scale, span, outputs))
    plan = StreamPlan(stream, source.is_revised, _has_bounds(group, source), tuple(measures))
    if len(plan.reaches) > KIND_BITS:
        raise SchemaError(
            f"{group.declared}: {len(plan.reaches)} different windows, and decays and bursts over them; one group can "
            f"have {KIND_BITS}: make two of it"
        )
    columns = ValueColumns(tuple(column for column, _ in numbers.values()), tuple(texts.values()))
    return PlannedGroup(group, source, plan, columns)


def _has_bounds(group: FeatureGroup, source: Source) -> bool:
    if isinstance(group.source, Link):
        return False
    return has_bounds(group.source) and (isinstance(group.source, str) or not source.is_revised)


def _reads(measure: Measure) -> str:
    """What a measure makes a number of: the value, its hash, the time of the row, or that there is one."""
    if measure.kind in {"approx_distinct", "hours_since_last", "hours_since_first"}:
        return measure.kind.removesuffix("_last").removesuffix("_first")
    return "value"


def _when(measure: Measure, value: Column) -> Column:
    return value if measure.where is None else F.when(F.expr(measure.where), value)


def _number(group: FeatureGroup, measure: Measure, rows: DataFrame) -> tuple[Column, int]:
    """A measure's value as an integer, and the number of decimal places it was shifted by."""
    if measure.of is None:
        is_time = measure.kind in {"hours_since_last", "hours_since_first"}
        return F.unix_micros("event_at") if is_time else F.lit(1).cast("long"), 0
    value = F.expr(measure.of)
    if measure.kind == "approx_distinct":
        return F.when(value.isNotNull(), F.pmod(F.xxhash64(value), F.lit(SLOTS))), 0
    found = rows.select(value).schema[0].dataType
    if not isinstance(found, _NUMBERS):
        is_float = isinstance(found, DoubleType | FloatType)
        hint = "a double gives other sums in another order" if is_float else "it is no number"
        raise SchemaError(
            f"{group.declared}: {measure.kind} of {measure.of} in {group.source} is {found.simpleString()}; {hint}; "
            "declare it decimal(p,s) or long in the contract"
        )
    scale = found.scale if isinstance(found, DecimalType) else 0
    if isinstance(found, DecimalType) and found.precision > DIGITS:
        value = value.cast(DecimalType(DIGITS, scale))
    return (value * 10**scale if scale else value).cast("long"), scale
