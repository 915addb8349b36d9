"""What the kernel has to compute for one entity, as plain data that travels to executors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DataType, DecimalType, DoubleType, IntegerType, LongType

from features.declare import Entity, FeatureGroup, FeatureView, Kind, Measure
from lake.errors import SchemaError

_NUMBERS = (DecimalType, LongType, IntegerType, BooleanType)
_REAL_VALUED = ("mean", "share", "hours_since_last", "hours_since_first")


@dataclass(frozen=True, slots=True)
class Output:
    """One feature: its name and the window it looks at (microseconds; None is lifetime)."""

    name: str
    micros: int | None


@dataclass(frozen=True, slots=True)
class MeasurePlan:
    """One aggregate over several windows. ``slot`` numbers the value column it reads; None where it reads none."""

    kind: Kind
    slot: int | None
    scale: int
    outputs: tuple[Output, ...]

    @property
    def is_real(self) -> bool:
        return self.kind in _REAL_VALUED


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One group's rows, told apart by ``stream`` in the exchanged frame."""

    stream: int
    measures: tuple[MeasurePlan, ...]


@dataclass(frozen=True, slots=True)
class ValueColumns:
    """The columns that carry a group's values: numbers as integers, everything counted as distinct as text."""

    numbers: tuple[Column, ...]
    texts: tuple[Column, ...]


def plan_entity(
    view: FeatureView, entity: Entity, sources: Mapping[str, DataFrame]
) -> list[tuple[FeatureGroup, StreamPlan, ValueColumns]]:
    """Every group of ``entity`` with what to compute and the columns to bring.

    Raises:
        SchemaError: a measure sums what is no exact number.
    """
    groups = [group for group in view.groups if group.entity == entity]
    return [_plan_group(group, number, sources[group.source]) for number, group in enumerate(groups, start=1)]


def _plan_group(
    group: FeatureGroup, stream: int, source: DataFrame
) -> tuple[FeatureGroup, StreamPlan, ValueColumns]:
    numbers: list[Column] = []
    texts: list[Column] = []
    measures = []
    for measure in group.measures:
        outputs = tuple(Output(group.feature(measure, w), w.micros) for w in group.windows)
        slot, scale = None, 0
        if measure.kind == "distinct":
            slot = len(texts)
            texts.append(_when(measure, F.expr(str(measure.of)).cast("string")))
        elif measure.of is not None or measure.where is not None:
            slot = len(numbers)
            value, scale = _number(group, measure, source)
            numbers.append(_when(measure, value))
        measures.append(MeasurePlan(measure.kind, slot, scale, outputs))
    return group, StreamPlan(stream, tuple(measures)), ValueColumns(tuple(numbers), tuple(texts))


def _when(measure: Measure, value: Column) -> Column:
    return value if measure.where is None else F.when(F.expr(measure.where), value)


def _number(group: FeatureGroup, measure: Measure, source: DataFrame) -> tuple[Column, int]:
    """A measure's value as an integer, and the number of decimal places it was shifted by."""
    if measure.kind == "count":
        return F.lit(1).cast("long"), 0
    if measure.of is None:
        return F.unix_micros("event_at"), 0
    value = F.expr(measure.of)
    found = source.select(value).schema[0].dataType
    if not isinstance(found, _NUMBERS):
        hint = (
            "a double gives other sums in another order"
            if isinstance(found, DoubleType)
            else "it is no number"
        )
        raise SchemaError(
            f"{group.declared}: {measure.kind} of {measure.of} in {group.source} is {found.simpleString()}; {hint}; "
            "declare it decimal(p,s) or long in the contract"
        )
    scale = found.scale if isinstance(found, DecimalType) else 0
    return (value * 10**scale if scale else value).cast("long"), scale


def feature_type(measure: MeasurePlan) -> DataType:
    """The type a feature has in the table: long, decimal(20,scale) or double."""
    if measure.is_real:
        return DoubleType()
    return DecimalType(20, measure.scale) if measure.scale else LongType()


def all_measures(streams: Sequence[StreamPlan]) -> list[MeasurePlan]:
    """Every measure of every stream, in order."""
    return [measure for stream in streams for measure in stream.measures]
