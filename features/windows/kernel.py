"""The Arrow kernel: all rows of some keys of one entity in, one row of features per probe out.

A task's rows are held together and computed in blocks of whole keys, so its memory is its share of the exchanged
rows and the working arrays of one block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.windows.aggregate import Asked, Events, Probes, aggregate
from features.windows.block import (
    EVERY_WINDOW,
    ITSELF,
    KIND_BITS,
    KNOWN,
    PROBE,
    ROLE,
    ROW,
    SERVES,
    STREAM,
    TIME,
    TOLD,
    ints,
    number_column,
    text_column,
    whole_keys,
)
from features.windows.intervals import FOREVER, Axis, Bools, Ints
from features.windows.plan import MeasurePlan, StreamPlan
from features.windows.revisions import effective
from features.windows.values import Values

HISTORY = "history"


def kernel(
    streams: tuple[StreamPlan, ...], schema: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for ``mapInArrow``. All rows of a key are in one task; no key is null."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)
        if held:
            for block, keys in whole_keys(pa.Table.from_batches(held)):
                yield from features_of(block, keys, streams, schema).to_batches()

    return run


def features_of(rows: pa.Table, keys: Ints, streams: tuple[StreamPlan, ...], schema: pa.Schema) -> pa.Table:
    """One row per probe of ``rows``, which holds all rows of its keys, sorted by key; ``keys`` numbers them."""
    is_probe = rows[STREAM].to_numpy() == PROBE
    if not is_probe.any():
        return schema.empty_table()
    times = ints(rows, TIME)
    axis = Axis.around(times[is_probe])
    if not axis.fits(int(keys[-1]) + 1):
        cut = int(np.searchsorted(keys, (keys[0] + keys[-1] + 1) // 2))
        parts = [(rows.slice(0, cut), keys[:cut]), (rows.slice(cut), keys[cut:] - keys[cut])]
        return pa.concat_tables([features_of(part, some, streams, schema) for part, some in parts])
    at = np.flatnonzero(is_probe)
    probes = Probes(axis, axis.fold(keys[at], times[at]), keys[at], times[at])
    columns: dict[str, pa.Array] = {ROW: rows[ROW].combine_chunks().take(pa.array(at))}
    heard = np.zeros(len(at), dtype=np.bool_)
    for stream in streams:
        part = _Part(rows, keys, stream)
        columns |= part.features(probes)
        heard |= part.was_heard_of(probes)
    columns[HISTORY] = pa.array(heard)
    return pa.table([_typed(columns[field.name], field.type) for field in schema], schema=schema)


class _Part:
    """The events of one group in a block."""

    def __init__(self, rows: pa.Table, keys: Ints, stream: StreamPlan) -> None:
        at = np.flatnonzero(rows[STREAM].to_numpy() == stream.stream)
        self._rows, self._stream = rows.take(pa.array(at)), stream
        self._keys, self._times = keys[at], ints(self._rows, TIME)
        self._known = ints(self._rows, KNOWN)
        self._serves, self._stands_for = None, None
        if SERVES in self._rows.column_names:
            serves = ints(self._rows, SERVES)
            self._serves, self._stands_for = serves & EVERY_WINDOW, serves >> KIND_BITS
        self._events, self._counts = self._effective()

    def features(self, probes: Probes) -> dict[str, pa.Array]:
        """Every feature of the group for each probe."""
        read = [self._values(measure) for measure in self._stream.measures]
        columns = {}
        for bit, micros in enumerate(self._stream.windows):
            alive = self._events.alive(probes, micros, bit)
            for measure, values in zip(self._stream.measures, read, strict=True):
                for output in measure.outputs:
                    if output.micros == micros:
                        asked = Asked(measure, micros, values, self._events, alive, probes)
                        columns[output.name] = aggregate(asked)
        return columns

    def was_heard_of(self, probes: Probes) -> Bools:
        """For each probe, whether any row of its key ever began to count before, whatever became of it."""
        events = self._events
        used = self._counts & (events.start < events.until)
        starts = np.sort(probes.axis.fold(self._keys[used], events.start[used]))
        begin = probes.axis.fold(probes.keys, np.full(len(probes.keys), probes.axis.low))
        before = np.searchsorted(starts, begin, side="left")
        heard: Bools = np.searchsorted(starts, probes.folded, side="left") > before
        return heard

    def _effective(self) -> tuple[Events, Bools]:
        known, until = self._known, np.full(len(self._keys), FOREVER)
        counts = np.ones(len(self._keys), dtype=np.bool_)
        ids = self._ids() if self._stream.needs_ids else None
        if self._stream.is_revised and ids is not None:
            own = self._keys * (int(ids.max(initial=0)) + 1) + ids
            known, until, counts = effective(own, self._known, ints(self._rows, TOLD), ints(self._rows, ROLE))
        rank = None
        if ids is not None:
            rank = np.empty(len(ids), dtype=np.int64)
            rank[np.lexsort((ids, self._times))] = np.arange(len(ids))
        start = np.maximum(self._times, known)
        if self._stands_for is not None:
            start = np.where(self._stands_for == ITSELF, start, -FOREVER)
        return Events(self._keys, self._times, start, until, rank, self._serves, self._stands_for), counts

    def _ids(self) -> Ints:
        """Ids as numbers in the order of their texts."""
        column = self._rows[ROW].combine_chunks().dictionary_encode()
        place = np.empty(len(column.dictionary), dtype=np.int64)
        place[pc.array_sort_indices(column.dictionary).to_numpy()] = np.arange(len(place))
        numbers: Ints = place[column.indices.to_numpy()]
        return numbers

    def _values(self, measure: MeasurePlan) -> Values:
        values, valid = self._read(measure)
        if self._stands_for is None:
            return Values.of(values, valid)
        brings_rows = measure.slot is None or measure.kind == "entropy"
        return Values.summarised(
            measure.kind, values, valid, self._stands_for, self._known if brings_rows else None
        )

    def _read(self, measure: MeasurePlan) -> tuple[Ints, Bools]:
        if measure.slot is None:
            is_time = measure.kind.startswith("hours")
            return self._times if is_time else self._counts.astype(np.int64), self._counts
        if measure.kind in {"distinct", "entropy"}:
            column = self._rows[text_column(measure.slot)].combine_chunks().dictionary_encode()
            valid = column.is_valid().to_numpy(zero_copy_only=False)
            return column.indices.fill_null(0).to_numpy().astype(np.int64), valid & self._counts
        numbers = self._rows[number_column(measure.slot)]
        valid = numbers.is_valid().to_numpy()
        return numbers.fill_null(0).to_numpy().astype(np.int64), valid & self._counts


def _typed(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Integers as the decimals they stand for; everything else as it is."""
    if not pa.types.is_decimal(kind):
        return values
    low = values.fill_null(0).to_numpy()
    words = np.empty((len(low), 2), dtype=np.int64)
    words[:, 0], words[:, 1] = low, low >> 63
    mask = None if not values.null_count else values.is_valid()
    validity = None if mask is None else mask.buffers()[1]
    return pa.Array.from_buffers(kind, len(low), [validity, pa.py_buffer(words)])
