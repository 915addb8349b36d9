"""One shuffle per entity: probes and source rows of a key meet in one task and go through the kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BinaryType,
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    StringType,
    StructField,
    StructType,
)

from features.began import began_between, instant, known_between
from features.declare import Entity, FeatureGroup, FeatureView
from features.links import kept_links
from features.source import Source, key_of
from features.windows.block import (
    COUNTS,
    IS_RETRACTION,
    IS_REVISION,
    KEY,
    KNOWN,
    PACKED,
    PROBE,
    ROLE,
    ROW,
    SPINE,
    STREAM,
    TIME,
    TOLD,
    number_column,
    text_column,
)
from features.windows.hot_keys import HotKey
from features.windows.intervals import FOREVER
from features.windows.kernel import Last, Stage, kernel
from features.windows.peaks import greatest_heights
from features.windows.placed import placed
from features.windows.plan import PlannedGroup, StreamPlan, ValueColumns, all_measures, plan_entity
from features.windows.rereads import as_known, told_rereads
from features.windows.sections import in_sections
from features.windows.settled import in_effect
from features.windows.state import (
    State,
    folded,
    folded_links,
    folded_peaks,
    is_still_seen,
    longest_held,
    longest_reach,
)
from lake.contracts import RETRACTION, REVISION
from lake.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Gathered:
    """Probes and events of one entity as they are exchanged, and what is to be computed of them.

    Attributes:
        row: the id of a probe.
    """

    rows: DataFrame
    row: Column
    planned: tuple[PlannedGroup, ...]
    state: State | None = None

    @property
    def streams(self) -> tuple[StreamPlan, ...]:
        return tuple(one.stream for one in self.planned)

    @property
    def features(self) -> FeatureSchema:
        return FeatureSchema.of(self.planned)


def gather(
    view: FeatureView,
    entity: Entity,
    frame: DataFrame,
    sources: Mapping[str, Source],
    state: State | None = None,
) -> Gathered:
    """The probes and events of an entity.

    Args:
        frame: one row per row to describe: ``spine``, a struct with the row's own columns, and ``packed``, the features
            of entities before, where there are any.
        state: what stands for events of long ago, as ``summed_up`` found it: every row to describe is later.

    Raises:
        SchemaError: a measure sums what is no exact number, or a source's key is of another type than the spine's.
    """
    planned = plan_entity(view, entity, sources, None if state is None else state.links)
    spine = frame.schema[SPINE].dataType
    for one in planned:
        _check_key(one.group, spine, one.source.rows)
    layout = _Layout.of(planned)
    rows = _probes(entity, frame, layout)
    for one in planned:
        seen = one
        if state is not None and state.stands_for(one.stream):
            is_reread = state.is_reread(one.stream, key_of(one.group.keys))
            later = _later(one, sources, state, longest_reach(one.stream))
            seen = later.where(is_still_seen(one.stream, state.until) | is_reread)
        rows = rows.unionByName(_events(seen, layout), allowMissingColumns=True)
    return Gathered(rows, F.col(f"{SPINE}.{view.spine.row}"), tuple(planned), state)


def summed_up(
    view: FeatureView,
    entity: Entity,
    sources: Mapping[str, Source],
    until: int,
    before: State | None = None,
) -> list[DataFrame]:
    """What is known of each key of an entity by an instant: rows of a state, in parts.

    Args:
        until: microseconds; what begins to count later is left out.
        before: an earlier state of the same groups, which spares reading what it stands for.

    Returns:
        Nothing where every group looks at all of its events one by one, and none reads a log of links.
    """
    planned = plan_entity(view, entity, sources)
    kept = [one for one in planned if one.stream.has_bounds]
    parts = list(_new_links(planned, sources, until, before))
    if kept:
        layout = _Layout.of(planned)
        if before is not None:
            before = told_rereads(before, kept, until)
        new = [_new_events(_later(one, sources, before, 0), layout, until, before) for one in kept]
        parts += folded(reduce(DataFrame.unionByName, new), [one.stream for one in kept], before)
        for one in kept:
            if one.stream.lasting_peaks:
                held = _later(one, sources, before, longest_held(one.stream))
                heights = _new_heights(held, layout, until, before)
                parts.append(folded_peaks(heights, one.stream, before))
    return parts


def exchanged(
    gathered: Gathered,
    before: Sequence[FeatureSchema],
    *,
    last: Last | None,
    hot: Sequence[HotKey],
    tasks: int | None,
) -> DataFrame:
    """Every feature of one entity, for every row to describe.

    Args:
        before: what the features of the entities before are.
        last: what the rows are to have where there is no entity after it.
        hot: keys of so many rows that several tasks share them.
        tasks: how many tasks share the rows; each holds its share in memory. None leaves it to Spark.

    Returns:
        One row per probe: ``spine``, and ``packed`` with the features of this entity too; for the last entity the
        columns of ``last`` instead. Without a key all features of the entity are null; a key without rows has
        counts and sums 0 and all else null.
    """
    rows = gathered.rows
    if hot or gathered.state is not None:
        rows = in_sections(rows, gathered.streams, hot, gathered.state)
    together = placed(rows, gathered.row, hot, tasks)
    now = gathered.features
    stage = Stage(gathered.streams, now.arrow, tuple(schema.arrow for schema in before), last)
    spine = rows.schema[SPINE]
    if last is None:
        return together.mapInArrow(kernel(stage), StructType([spine, StructField(PACKED, BinaryType())]))
    fields = {field.name: field for field in _fields(spine.dataType)}
    fields |= {field.name: field for schema in (*before, now) for field in schema.fields}
    fields |= {name: StructField(name, StringType()) for name in (*last.texts, *last.constants)}
    return together.mapInArrow(kernel(stage), StructType([fields[name] for name in last.columns]))


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of the exchanged frame: no more than the widest group needs; narrower ones leave the rest null."""

    numbers: int
    texts: int
    has_ids: bool
    has_roles: bool

    @classmethod
    def of(cls, planned: list[PlannedGroup]) -> _Layout:
        numbers = max(len(one.values.numbers) for one in planned)
        texts = max(len(one.values.texts) for one in planned)
        streams = [one.stream for one in planned]
        has_ids = any(stream.needs_ids for stream in streams)
        return cls(numbers, texts, has_ids, any(stream.is_revised for stream in streams))

    def columns(self, values: ValueColumns, row_id: Column, role: Column, told_at: Column) -> list[Column]:
        numbers = [*values.numbers, *[F.lit(None).cast("long")] * (self.numbers - len(values.numbers))]
        texts = [*values.texts, *[F.lit(None).cast("string")] * (self.texts - len(values.texts))]
        named = [column.alias(number_column(slot)) for slot, column in enumerate(numbers)]
        named += [column.alias(text_column(slot)) for slot, column in enumerate(texts)]
        named += [row_id.alias(ROW)] if self.has_ids else []
        return [*named, role.alias(ROLE), F.unix_micros(told_at).alias(TOLD)] if self.has_roles else named


def _probes(entity: Entity, frame: DataFrame, layout: _Layout) -> DataFrame:
    as_of = F.col(f"{SPINE}.as_of")
    at, key = F.unix_micros(as_of), key_of(tuple(f"{SPINE}.{name}" for name in entity.keys))
    return frame.select(
        key.alias(KEY),
        F.lit(PROBE).alias(STREAM),
        at.alias(TIME),
        at.alias(KNOWN),
        *layout.columns(ValueColumns(), _no_id(), F.lit(COUNTS), as_of),
        *frame.columns,
    )


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
    row_id = source.row_id if one.stream.needs_ids else _no_id()
    return rows.select(
        key_of(one.group.keys).alias(KEY),
        F.lit(one.stream.stream).alias(STREAM),
        F.unix_micros("event_at").alias(TIME),
        F.unix_micros("known_at").alias(KNOWN),
        *layout.columns(one.values, row_id, role, source.told_at),
    ).where(F.col(KEY).isNotNull())


def _no_id() -> Column:
    return F.lit(None).cast("string")


def _later(
    one: PlannedGroup, sources: Mapping[str, Source], before: State | None, micros: int
) -> PlannedGroup:
    """A group, of no more than begins to count after that long before a state, where that stands for the rest."""
    if before is None or not before.stands_for(one.stream):
        return one
    return one.after(before.until - micros, sources)


def _new_events(one: PlannedGroup, layout: _Layout, until: int, before: State | None) -> DataFrame:
    """What a state is told of a group: what began to count since ``before``, and all of the keys that it sees anew."""
    old = before if before is not None and before.stands_for(one.stream) else None
    since = None if old is None else old.until
    if not one.source.is_revised:
        return _events(one.where(began_between(since, until)), layout)
    known = one.where(known_between(None, until))
    if old is None:
        return as_known(_events(known, layout), until)
    is_reread = old.is_reread(one.stream, key_of(one.group.keys))
    new = _events(one.unrevised.where(began_between(since, until) & ~is_reread), layout)
    return new.unionByName(as_known(_events(known.where(is_reread), layout), until))


def _new_heights(one: PlannedGroup, layout: _Layout, until: int, before: State | None) -> DataFrame:
    """What a state is told of bursts: how high the rows stood that began to count since ``before``."""
    stream, rows, after = one.stream, one.where(known_between(None, until)), F.lit(-FOREVER)
    if before is not None and before.stands_for(stream):
        is_held = F.col("event_at") > instant(before.until - longest_held(stream))
        rows = rows.where(is_held | before.is_reread(stream, key_of(one.group.keys)))
        after = F.when(before.is_reread(stream, F.col(KEY)), after).otherwise(before.until)
    events = _events(rows, layout)
    return greatest_heights(in_effect(events) if stream.is_revised else events, stream, after, until)


def _new_links(
    planned: Sequence[PlannedGroup], sources: Mapping[str, Source], until: int, before: State | None
) -> Iterator[DataFrame]:
    """The first links of each group that reads some."""
    for one in planned:
        number = one.stream.stream
        known = None if before is None else before.links(number)
        links = kept_links(one.group, sources, until, known)
        if links is not None:
            yield folded_links(links, number)


def _fields(struct: DataType) -> list[StructField]:
    return struct.fields if isinstance(struct, StructType) else []


def _check_key(group: FeatureGroup, spine: DataType, rows: DataFrame) -> None:
    """Refuse keys that would be compared as what they are not: a number with a text, say."""
    types = {field.name: field.dataType for field in _fields(spine)}
    for own, theirs in zip(group.entity.keys, group.keys, strict=True):
        found, expected = rows.schema[theirs].dataType, types[own]
        if found != expected:
            raise SchemaError(
                f"{group.declared}: {group.source}.{theirs} is {found.simpleString()}, the spine's {own} is "
                f"{expected.simpleString()}; give the key of {group.entity.name} one type in both contracts"
            )


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """The features of one entity, its flag of a history last, as Spark knows them."""

    fields: tuple[StructField, ...]

    @classmethod
    def of(cls, planned: Sequence[PlannedGroup]) -> FeatureSchema:
        measured = [
            StructField(output.name, measure.feature_type)
            for measure in all_measures(planned)
            for output in measure.outputs
        ]
        return cls((*measured, StructField(planned[0].group.entity.history, BooleanType())))

    @property
    def arrow(self) -> pa.Schema:
        """The same as Arrow calls it."""
        return pa.schema([(field.name, _arrow(field.dataType)) for field in self.fields])


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
