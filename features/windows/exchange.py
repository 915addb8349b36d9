"""One shuffle per entity: probes and source rows of a key meet in one partition and go through the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType

from features.declare import Entity, FeatureGroup, FeatureView
from features.windows.kernel import (
    FOREVER,
    KEY,
    PROBE,
    ROW,
    START,
    STREAM,
    TIME,
    UNTIL,
    kernel,
    number_column,
    text_column,
)
from features.windows.plan import StreamPlan, ValueColumns, all_measures, feature_type, plan_entity

RETRACTED_AT = "retracted_at"


def entity_features(
    view: FeatureView, entity: Entity, spine: DataFrame, sources: Mapping[str, DataFrame]
) -> DataFrame:
    """Every feature of one entity.

    Args:
        spine: one row per row to describe: the spine's row id, ``as_of`` and the entity's key.
        sources: events by log: ``event_at``, ``known_at``, and ``retracted_at`` where rows can be taken back.

    Returns:
        One row per spine row whose key is not null: row id and the entity's features. A key without rows has counts
        and sums 0 and all else null.
    """
    planned = plan_entity(view, entity, sources)
    width = _Width.of([values for _, _, values in planned])
    rows = _probes(view, entity, spine, width)
    for group, stream, values in planned:
        rows = rows.unionByName(_events(group, stream, values, width, sources[group.source]))
    streams = tuple(stream for _, stream, _ in planned)
    together = rows.repartition(KEY).sortWithinPartitions(KEY)
    computed = together.mapInArrow(kernel(streams, _arrow_schema(streams)), _ddl(streams))
    return computed.select(F.col(ROW).alias(view.spine.row), *_typed(streams))


class _Width:
    """How many value columns the widest group needs; narrower ones leave the rest null."""

    def __init__(self, numbers: int, texts: int) -> None:
        self.numbers = numbers
        self.texts = texts

    @classmethod
    def of(cls, values: list[ValueColumns]) -> _Width:
        return cls(max(len(v.numbers) for v in values), max(len(v.texts) for v in values))

    def columns(self, values: ValueColumns) -> list[Column]:
        numbers = [*values.numbers, *[F.lit(None).cast("long")] * (self.numbers - len(values.numbers))]
        texts = [*values.texts, *[F.lit(None).cast("string")] * (self.texts - len(values.texts))]
        return [column.alias(number_column(slot)) for slot, column in enumerate(numbers)] + [
            column.alias(text_column(slot)) for slot, column in enumerate(texts)
        ]


def _probes(view: FeatureView, entity: Entity, spine: DataFrame, width: _Width) -> DataFrame:
    at = F.unix_micros("as_of")
    return spine.where(F.col(entity.key).isNotNull()).select(
        F.col(entity.key).cast("string").alias(KEY),
        F.lit(PROBE).alias(STREAM),
        F.col(view.spine.row).cast("string").alias(ROW),
        at.alias(TIME),
        at.alias(START),
        at.alias(UNTIL),
        *width.columns(ValueColumns((), ())),
    )


def _events(
    group: FeatureGroup, stream: StreamPlan, values: ValueColumns, width: _Width, source: DataFrame
) -> DataFrame:
    rows = source if group.where is None else source.where(F.expr(group.where))
    event_at, known_at = F.unix_micros("event_at"), F.unix_micros("known_at")
    until = F.lit(FOREVER)
    if RETRACTED_AT in source.columns:
        until = F.coalesce(F.unix_micros(RETRACTED_AT), until)
    return rows.where(F.col(group.key).isNotNull()).select(
        F.col(group.key).cast("string").alias(KEY),
        F.lit(stream.stream).alias(STREAM),
        F.lit(None).cast("string").alias(ROW),
        event_at.alias(TIME),
        F.greatest(event_at, known_at).alias(START),
        until.alias(UNTIL),
        *width.columns(values),
    )


def _arrow_schema(streams: tuple[StreamPlan, ...]) -> pa.Schema:
    fields = [(ROW, pa.string())]
    for measure in all_measures(streams):
        kind = pa.float64() if measure.is_real else pa.int64()
        fields += [(output.name, kind) for output in measure.outputs]
    return pa.schema(fields)


def _ddl(streams: tuple[StreamPlan, ...]) -> str:
    columns = [f"`{ROW}` string"]
    for measure in all_measures(streams):
        kind = "double" if measure.is_real else "bigint"
        columns += [f"`{output.name}` {kind}" for output in measure.outputs]
    return ", ".join(columns)


def _typed(streams: tuple[StreamPlan, ...]) -> list[Column]:
    columns = []
    for measure in all_measures(streams):
        kind = feature_type(measure)
        for output in measure.outputs:
            value = F.col(output.name)
            if isinstance(kind, DecimalType):
                value = (value.cast("decimal(20,0)") * F.lit(Decimal(1).scaleb(-measure.scale))).cast(kind)
            columns.append(value.alias(output.name))
    return columns
