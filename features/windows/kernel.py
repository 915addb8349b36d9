"""The Arrow kernel: all rows of some keys of one entity in, one row of features per probe out.

A task's rows are held together and computed in blocks of whole keys, so its memory is its share of the exchanged
rows and the working arrays of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.windows.aggregate import Asked, Events, Probes, aggregate
from features.windows.block import (
    COUNTED,
    EVERY_WINDOW,
    ITSELF,
    KEY,
    KIND_BITS,
    KNOWN,
    NAMELESS,
    OF_VALUES,
    PACKED,
    PROBE,
    ROLE,
    ROW,
    SECTION,
    SERVES,
    SPINE,
    STREAM,
    TEXT,
    TIME,
    TOLD,
    VALUE,
    height_column,
    ints,
    number_column,
    text_column,
    whole_keys,
)
from features.windows.intervals import FOREVER, Axis, Bools, Ints
from features.windows.packed import from_arrow, pack, to_arrow, unpack, width
from features.windows.plan import BY_VALUE, TOLD_APART, MeasurePlan, Peak, StreamPlan
from features.windows.revisions import effective
from features.windows.values import Nameless, Values, counted

_OF_SPINE = f"{SPINE}."

# A gigabyte of features a row of 8,000 bytes, where Arrow's limit is two.
_ROWS_OUT = 131_072


@dataclass(frozen=True, slots=True)
class Last:
    """What comes of the last entity's turn: rows as they are stored, for Spark would copy each to add a column.

    Attributes:
        columns: names in order, each of a spine's column, a feature or a constant.
        texts: the spine's columns of whole numbers that are stored as texts.
        constants: columns that have one text in every row.
    """

    columns: tuple[str, ...]
    texts: tuple[str, ...]
    constants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stage:
    """One entity's turn.

    Attributes:
        features: of this entity, its flag of a history last, with the types they have in the table.
        before: features of the entities before it, in order.
        last: None packs the features for the next entity.
    """

    streams: tuple[StreamPlan, ...]
    features: pa.Schema
    before: tuple[pa.Schema, ...]
    last: Last | None


def ready(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """For ``mapInArrow``: the rows as they are, from a process that has imported the kernel."""
    yield from batches


def kernel(stage: Stage) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for ``mapInArrow``: one row a probe out, in no order. All rows of a key are in one task."""
    # What only probes have, and no aggregate looks at.
    carried = [SPINE, PACKED] if stage.before else [SPINE]
    unread = {*carried, KEY, SECTION}

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)
        if held:
            rows = pa.Table.from_batches(held)
            without = rows.filter(pc.is_null(rows[KEY]))
            nothing = [pa.nulls(len(without), _raw(field.type)) for field in stage.features]
            yield from _described(without.select(carried).flatten(), nothing, stage)
            having = rows.filter(pc.is_valid(rows[KEY])) if len(without) else rows
            own = having.select(carried).flatten()
            read = having.select([name for name in having.column_names if name not in unread])
            for places, keys in whole_keys(having):
                block = read.take(pa.array(places))
                probes = places[block[STREAM].to_numpy() == PROBE]
                yield from _described(own.take(pa.array(probes)), features_of(block, keys, stage), stage)

    return run


def _described(probes: pa.Table, features: Sequence[pa.Array], stage: Stage) -> Iterator[pa.RecordBatch]:
    """Probes with what was found before and now, as many at a time as Arrow's binary columns hold."""
    sizes = [width(len(schema)) for schema in stage.before]
    size = sum(sizes)
    for first in range(0, len(probes), _ROWS_OUT):
        part = probes.slice(first, _ROWS_OUT).combine_chunks().to_batches()[0]
        now = [column.slice(first, _ROWS_OUT) for column in features]
        before = from_arrow(part[PACKED], size) if size else np.empty((len(part), 0), np.uint8)
        columns = {name.removeprefix(_OF_SPINE): part[name] for name in part.schema.names if name != PACKED}
        if stage.last is None:
            spine = pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
            yield pa.RecordBatch.from_pydict({SPINE: spine, PACKED: to_arrow(np.hstack([before, pack(now)]))})
            continue
        begin = 0
        for schema, wide in zip(stage.before, sizes, strict=True):
            columns |= _typed(unpack(before[:, begin : begin + wide], schema.types), schema)
            begin += wide
        columns |= _typed(now, stage.features)
        columns |= {name: columns[name].cast(pa.string()) for name in stage.last.texts}
        columns |= {name: pa.repeat(text, len(part)) for name, text in stage.last.constants.items()}
        yield pa.RecordBatch.from_pydict({name: columns[name] for name in stage.last.columns})


def features_of(rows: pa.Table, keys: Ints, stage: Stage) -> list[pa.Array]:
    """Each feature of the probes of ``rows``, which holds all rows of its keys, sorted by key; ``keys`` numbers them.

    Money comes as integers.
    """
    is_probe = rows[STREAM].to_numpy() == PROBE
    if not is_probe.any():
        return [pa.nulls(0, _raw(field.type)) for field in stage.features]
    times = ints(rows, TIME)
    axis = Axis.around(times[is_probe])
    if not axis.fits(int(keys[-1]) + 1):
        cut = int(np.searchsorted(keys, (keys[0] + keys[-1] + 1) // 2))
        halves = [(rows.slice(0, cut), keys[:cut]), (rows.slice(cut), keys[cut:] - keys[cut])]
        found = [features_of(part, some, stage) for part, some in halves]
        return [pa.concat_arrays(columns) for columns in zip(*found, strict=True)]
    at = np.flatnonzero(is_probe)
    probes = Probes(axis, axis.fold(keys[at], times[at]), keys[at], times[at])
    columns: dict[str, pa.Array] = {}
    heard = np.zeros(len(at), dtype=np.bool_)
    for stream in stage.streams:
        part = _Part(rows, keys, stream, probes)
        columns |= part.features()
        heard |= part.was_heard_of()
    *names, _ = stage.features.names
    return [*(columns[name] for name in names), pa.array(heard)]


class _Part:
    """The events of one group in a block, and the probes they are seen by."""

    def __init__(self, rows: pa.Table, keys: Ints, stream: StreamPlan, probes: Probes) -> None:
        at = np.flatnonzero(rows[STREAM].to_numpy() == stream.stream)
        self._rows, self._stream = rows.take(pa.array(at)), stream
        self._keys, self._times = keys[at], ints(self._rows, TIME)
        self._known = ints(self._rows, KNOWN)
        self._serves, self._stands_for = None, None
        self._columns: dict[object, tuple[Ints, Bools]] = {}
        self._kept: dict[object, Values] = {}
        self._ones: dict[object, Ints] = {}
        if SERVES in self._rows.column_names:
            serves = ints(self._rows, SERVES)
            if (serves != EVERY_WINDOW).any():
                self._serves, self._stands_for = serves & EVERY_WINDOW, serves >> KIND_BITS
        self._events, self._counts = self._effective()
        self._probes, self._begun = probes, self._events.begun(probes)

    def features(self) -> dict[str, pa.Array]:
        """Every feature of the group for each probe."""
        read, probes = [self._values(measure) for measure in self._stream.measures], self._probes
        columns = {}
        for bit, micros in enumerate(self._stream.windows):
            alive = self._events.alive(self._begun, probes.axis, micros, bit)
            for measure, values in zip(self._stream.measures, read, strict=True):
                for output in measure.outputs:
                    if output.micros == micros:
                        served = self._stream.bit(measure, micros)
                        asked = Asked(measure, micros, served, values, self._events, alive, probes)
                        columns[output.name] = aggregate(asked)
        return columns

    def was_heard_of(self) -> Bools:
        """For each probe, whether any row of its key ever began to count before, whatever became of it."""
        used = self._counts & (self._events.start < self._events.until)
        latest = self._begun.passed.greatest(np.where(used, self._keys, -1))
        heard: Bools = latest == self._probes.keys
        return heard

    @cached_property
    def _one_each(self) -> Ints:
        """What the rows that count add to a count."""
        return self._counts.astype(np.int64)

    def _effective(self) -> tuple[Events, Bools]:
        known, until = self._known, np.full(len(self._keys), FOREVER)
        counts = np.ones(len(self._keys), dtype=np.bool_)
        ids = _ranks(self._rows[ROW]) if self._stream.needs_ids else None
        if self._stream.is_revised and ids is not None:
            own = self._keys * (int(ids.max(initial=0)) + 1) + ids
            told, roles = ints(self._rows, TOLD), ints(self._rows, ROLE)
            known, until, counts = effective(own, self._known, told, roles, self._ties)
        rank = None
        if ids is not None:
            rank = np.empty(len(ids), dtype=np.int64)
            rank[np.lexsort((ids, self._times))] = np.arange(len(ids))
        start = np.maximum(self._times, known)
        if self._stands_for is not None:
            start = np.where(self._stands_for == ITSELF, start, -FOREVER)
        return Events(self._keys, self._times, start, until, rank, self._serves, self._stands_for), counts

    def _ties(self) -> list[Ints]:
        """What orders revisions that were told at one instant, as ``settled.in_order`` has it: null comes first."""
        found = [self._times]
        for name in self._rows.column_names:
            if name.startswith(OF_VALUES):
                column = self._rows[name]
                values = _ranks(column) if name.startswith(TEXT) else column.fill_null(0).to_numpy()
                found += [column.is_valid().to_numpy().astype(np.int64), values]
        return found

    def _values(self, measure: MeasurePlan) -> Values:
        """What a measure reads; measures of the same column share it."""
        column = measure.slot, measure.kind in TOLD_APART, measure.kind.startswith("hours")
        if column not in self._columns:
            self._columns[column] = self._read(measure)
        kept = column, None if self._stands_for is None else (measure.kind, measure.span)
        if kept not in self._kept:
            self._kept[kept] = self._values_of(measure, column)
        return self._kept[kept]

    def _values_of(self, measure: MeasurePlan, column: object) -> Values:
        values, valid = self._columns[column]
        if self._stands_for is None:
            return Values.of(
                values, valid, self._one_each if valid is self._counts else valid.astype(np.int64)
            )
        is_entropy = measure.kind == "entropy"
        # A window is counted once for all measures that are given the same array.
        if (column, is_entropy) not in self._ones:
            rows = self._known if measure.slot is None or is_entropy else values
            kind = VALUE if is_entropy else COUNTED
            self._ones[column, is_entropy] = counted(kind, rows, valid, self._stands_for)
        ones = self._ones[column, is_entropy]
        if measure.kind == "decayed" and measure.slot is None:
            values = np.where(self._stands_for == ITSELF, values, self._known)
        found = Values.summarised(measure.kind, values, valid, self._stands_for, ones)
        if measure.kind == "burst":
            return replace(found, heights=self._heights(measure))
        if measure.kind not in BY_VALUE:
            return found
        brought = valid & (self._stands_for == NAMELESS)
        return replace(found, nameless=Nameless.among(brought, self._times, self._known))

    def _heights(self, measure: MeasurePlan) -> tuple[Ints, Bools] | None:
        """The heights that rows of hot keys bring."""
        name = height_column(self._stream.peaks.index(Peak(measure.slot, measure.span)))
        if name not in self._rows.column_names:
            return None
        heights = self._rows[name]
        return heights.fill_null(0).to_numpy().astype(np.int64), heights.is_valid().to_numpy()

    def _read(self, measure: MeasurePlan) -> tuple[Ints, Bools]:
        if measure.slot is None:
            is_time = measure.kind.startswith("hours")
            return self._times if is_time else self._one_each, self._counts
        if measure.kind in TOLD_APART:
            column = self._rows[text_column(measure.slot)].combine_chunks().dictionary_encode()
            valid = column.is_valid().to_numpy(zero_copy_only=False)
            return column.indices.fill_null(0).to_numpy().astype(np.int64), valid & self._counts
        numbers = self._rows[number_column(measure.slot)]
        # What is computed of the same rows is computed once, and they are known by the array that marks them.
        valid = numbers.is_valid().to_numpy() & self._counts if numbers.null_count else self._counts
        return numbers.fill_null(0).to_numpy().astype(np.int64), valid


def _ranks(texts: pa.ChunkedArray) -> Ints:
    """Texts as numbers in their order; 0 for null too."""
    column = texts.combine_chunks().dictionary_encode()
    place = np.zeros(max(len(column.dictionary), 1), dtype=np.int64)
    place[pc.array_sort_indices(column.dictionary).to_numpy()] = np.arange(len(column.dictionary))
    numbers: Ints = place[column.indices.fill_null(0).to_numpy()]
    return numbers


def _raw(kind: pa.DataType) -> pa.DataType:
    """What the kernel computes with, for a type of the table."""
    return pa.int64() if pa.types.is_decimal(kind) else kind


def _typed(columns: Iterable[pa.Array], schema: pa.Schema) -> dict[str, pa.Array]:
    """Columns as the table has them: integers as the decimals they stand for, everything else as it is."""
    return {
        field.name: _decimals(column, field.type) if pa.types.is_decimal(field.type) else column
        for field, column in zip(schema, columns, strict=True)
    }


def _decimals(values: pa.Array, kind: pa.DataType) -> pa.Array:
    low = values.fill_null(0).to_numpy()
    words = np.empty((len(low), 2), dtype=np.int64)
    words[:, 0], words[:, 1] = low, low >> 63
    # Whole bytes of a mask are taken over only where a column begins with one.
    validity = pa.concat_arrays([values.is_valid()]).buffers()[1] if values.null_count else None
    return pa.Array.from_buffers(kind, len(low), [validity, pa.py_buffer(words)])
