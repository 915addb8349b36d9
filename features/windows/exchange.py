"""One shuffle per entity: probes and source rows of a key meet in one task and go through the kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DataType, DecimalType, DoubleType

from features.declare import Entity, FeatureGroup, FeatureView
from features.source import RETRACTION, REVISION, Source, text_of
from features.windows.block import (
    COUNTS,
    IS_RETRACTION,
    IS_REVISION,
    KEY,
    KNOWN,
    PROBE,
    ROLE,
    ROW,
    SECTION,
    STREAM,
    TIME,
    TOLD,
    number_column,
    text_column,
)
from features.windows.hot_keys import HotKey
from features.windows.kernel import HISTORY, kernel
from features.windows.plan import PlannedGroup, StreamPlan, ValueColumns, all_measures, plan_entity
from features.windows.sections import in_sections
from lake.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Gathered:
    """Probes and events of one entity as they are exchanged, and what is to be computed of them."""

    rows: DataFrame
    planned: tuple[PlannedGroup, ...]

    @property
    def streams(self) -> tuple[StreamPlan, ...]:
        return tuple(one.stream for one in self.planned)


def gather(view: FeatureView, entity: Entity, spine: DataFrame, sources: Mapping[str, Source]) -> Gathered:
    """The rows of an entity, of keys that are not null.

    Args:
        spine: one row per row to describe: the spine's row id, ``as_of`` and the entity's key.

    Raises:
        SchemaError: a measure sums what is no exact number, or a source's key is of another type than the spine's.
    """
    planned = plan_entity(view, entity, sources)
    for one in planned:
        _check_key(one.group, spine, one.source.rows)
    layout = _Layout.of(planned)
    rows = _probes(view, entity, spine, layout)
    for one in planned:
        rows = rows.unionByName(_events(one, layout))
    return Gathered(rows, tuple(planned))


def entity_features(
    view: FeatureView,
    entity: Entity,
    gathered: Gathered,
    *,
    hot: Sequence[HotKey] = (),
    tasks: int | None = None,
) -> DataFrame:
    """Every feature of one entity.

    Args:
        hot: keys of so many rows that several tasks share them.
        tasks: how many tasks share the rows; each holds its share in memory. None leaves it to Spark.

    Returns:
        One row per spine row whose key is not null: row id, the entity's features, and whether it has a history. A
        key without rows has counts and sums 0 and all else null.
    """
    rows, by = gathered.rows, [KEY]
    if hot:
        rows, by = in_sections(rows, gathered.streams, hot), [KEY, SECTION]
    together = rows.repartition(*by) if tasks is None else rows.repartition(tasks, *by)
    schema, ddl = _output(gathered.planned)
    computed = together.mapInArrow(kernel(gathered.streams, schema), ddl)
    return computed.withColumnsRenamed({ROW: view.spine.row, HISTORY: entity.history})


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of the exchanged frame: no more than the widest group needs; narrower ones leave the rest null."""

    numbers: int
    texts: int
    has_roles: bool

    @classmethod
    def of(cls, planned: list[PlannedGroup]) -> _Layout:
        numbers = max(len(one.values.numbers) for one in planned)
        texts = max(len(one.values.texts) for one in planned)
        return cls(numbers, texts, any(one.stream.is_revised for one in planned))

    def columns(self, values: ValueColumns, role: Column, told_at: Column) -> list[Column]:
        numbers = [*values.numbers, *[F.lit(None).cast("long")] * (self.numbers - len(values.numbers))]
        texts = [*values.texts, *[F.lit(None).cast("string")] * (self.texts - len(values.texts))]
        named = [column.alias(number_column(slot)) for slot, column in enumerate(numbers)]
        named += [column.alias(text_column(slot)) for slot, column in enumerate(texts)]
        return [*named, role.alias(ROLE), F.unix_micros(told_at).alias(TOLD)] if self.has_roles else named


def _probes(view: FeatureView, entity: Entity, spine: DataFrame, layout: _Layout) -> DataFrame:
    at = F.unix_micros("as_of")
    return spine.select(
        _key(entity.keys).alias(KEY),
        F.lit(PROBE).alias(STREAM),
        F.col(view.spine.row).cast("string").alias(ROW),
        at.alias(TIME),
        at.alias(KNOWN),
        *layout.columns(ValueColumns(), F.lit(COUNTS), F.col("as_of")),
    ).where(F.col(KEY).isNotNull())


def _events(one: PlannedGroup, layout: _Layout) -> DataFrame:
    condition = F.lit(True) if one.group.where is None else F.coalesce(F.expr(one.group.where), F.lit(False))
    role = F.lit(COUNTS)
    source, rows = one.source, one.source.rows
    if source.is_revised:
        # What a revision takes away must be seen even where the revision itself is not what the group looks at.
        is_retraction = F.equal_null(REVISION, F.lit(RETRACTION))
        role = (
            F.when(condition & ~is_retraction, COUNTS).otherwise(0)
            + F.when(F.col(REVISION).isNotNull(), IS_REVISION).otherwise(0)
            + F.when(is_retraction, IS_RETRACTION).otherwise(0)
        )
    elif one.group.where is not None:
        rows = rows.where(condition)
    row_id = source.row_id if one.stream.needs_ids else F.lit(None).cast("string")
    return rows.select(
        _key(one.group.keys).alias(KEY),
        F.lit(one.stream.stream).alias(STREAM),
        row_id.alias(ROW),
        F.unix_micros("event_at").alias(TIME),
        F.unix_micros("known_at").alias(KNOWN),
        *layout.columns(one.values, role, source.told_at),
    ).where(F.col(KEY).isNotNull())


def _key(columns: tuple[str, ...]) -> Column:
    """One column keeps its type, which is quicker to exchange than text; several become one text."""
    return F.col(columns[0]) if len(columns) == 1 else text_of(columns)


def _check_key(group: FeatureGroup, spine: DataFrame, rows: DataFrame) -> None:
    """Refuse keys that would be compared as what they are not: a number with a text, say."""
    for own, theirs in zip(group.entity.keys, group.keys, strict=True):
        found, expected = rows.schema[theirs].dataType, spine.schema[own].dataType
        if found != expected:
            raise SchemaError(
                f"{group.declared}: {group.source}.{theirs} is {found.simpleString()}, the spine's {own} is "
                f"{expected.simpleString()}; give the key of {group.entity.name} one type in both contracts"
            )


def _output(planned: Sequence[PlannedGroup]) -> tuple[pa.Schema, str]:
    """What the kernel gives, as Arrow and as Spark call it."""
    fields, ddl = [(ROW, pa.string())], [f"`{ROW}` string"]
    for measure in all_measures(planned):
        kind = measure.feature_type
        for output in measure.outputs:
            fields.append((output.name, _arrow(kind)))
            ddl.append(f"`{output.name}` {kind.simpleString()}")
    fields.append((HISTORY, pa.bool_()))
    ddl.append(f"`{HISTORY}` boolean")
    return pa.schema(fields), ", ".join(ddl)


def _arrow(kind: DataType) -> pa.DataType:
    match kind:
        case DoubleType():
            return pa.float64()
        case BooleanType():
            return pa.bool_()
        case DecimalType():
            return pa.decimal128(kind.precision, kind.scale)
        case _:
            return pa.int64()
