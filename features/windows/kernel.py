"""The Arrow kernel: rows of one entity, sorted by key, in; one row of features per probe, out.

It holds a bounded number of rows at a time: whole keys are collected until a chunk is full, computed together, and
forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.windows.intervals import Alive, Axis, Bools, Floats, Ints
from features.windows.plan import MeasurePlan, StreamPlan

CHUNK_ROWS = 65_536
FOREVER = np.iinfo(np.int64).max // 2
_MICROS_PER_HOUR = 3_600_000_000

KEY, STREAM, ROW, TIME, START, UNTIL = "key", "stream", "row", "time", "start", "until"
PROBE = 0


def number_column(slot: int) -> str:
    """The column that carries a measure's integers."""
    return f"number_{slot}"


def text_column(slot: int) -> str:
    """The column that carries what a measure counts as distinct."""
    return f"text_{slot}"


def kernel(
    streams: tuple[StreamPlan, ...], schema: pa.Schema
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for ``mapInArrow``. Rows must be sorted by key, with no null key."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in whole_keys(batches):
            yield from features_of(chunk, streams, schema).to_batches()

    return run


def whole_keys(batches: Iterator[pa.RecordBatch], rows: int = CHUNK_ROWS) -> Iterator[pa.Table]:
    """The same rows in tables of about ``rows`` rows, none of which parts a key from its rows."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if count < rows:
            continue
        table = pa.Table.from_batches(held).combine_chunks()
        last = table[KEY][-1]
        cut = pc.index(table[KEY], last).as_py()
        if cut > 0:
            yield table.slice(0, cut)
        rest = table.slice(cut)
        held, count = rest.to_batches(), rest.num_rows
    if count:
        yield pa.Table.from_batches(held).combine_chunks()


def features_of(table: pa.Table, streams: tuple[StreamPlan, ...], schema: pa.Schema) -> pa.Table:
    """One row per probe of ``table``, which holds all rows of its keys."""
    codes = table[KEY].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    is_probe = table[STREAM].to_numpy() == PROBE
    if not is_probe.any():
        return schema.empty_table()
    axis = Axis.around(table[TIME].to_numpy()[is_probe])
    keys = int(codes[-1]) + 1
    if not axis.fits(keys):
        cut = int(np.searchsorted(codes, keys // 2))
        halves = [features_of(part, streams, schema) for part in (table.slice(0, cut), table.slice(cut))]
        return pa.concat_tables(halves)
    at = np.flatnonzero(is_probe)
    folded = axis.fold(codes[at], table[TIME].to_numpy()[at])
    order = np.argsort(folded, kind="stable")
    probes = _Probes(axis, folded[order], table[TIME].to_numpy()[at][order])
    columns: dict[str, pa.Array] = {ROW: table[ROW].combine_chunks().take(pa.array(at[order]))}
    for stream in streams:
        columns |= _stream_features(table, codes, stream, probes)
    return pa.table([columns[name] for name in schema.names], schema=schema)


@dataclass(frozen=True, slots=True)
class _Probes:
    axis: Axis
    folded: Ints
    times: Ints


@dataclass(frozen=True, slots=True)
class _Values:
    """A measure's values; where it reads no column, every row counts."""

    values: Ints
    valid: Bools


def _stream_features(
    table: pa.Table, codes: Ints, stream: StreamPlan, probes: _Probes
) -> dict[str, pa.Array]:
    at = np.flatnonzero(table[STREAM].to_numpy() == stream.stream)
    rows = table.take(pa.array(at))
    keys, times, start, until = codes[at], _ints(rows, TIME), _ints(rows, START), _ints(rows, UNTIL)
    starts = probes.axis.fold(keys, start)
    read = [_values(rows, measure, times) for measure in stream.measures]
    windows = dict.fromkeys(output.micros for measure in stream.measures for output in measure.outputs)
    columns = {}
    for micros in windows:
        ends = until if micros is None else np.minimum(times + micros, until)
        alive = Alive.of(starts, probes.axis.fold(keys, ends), probes.folded)
        for measure, values in zip(stream.measures, read, strict=True):
            for output in measure.outputs:
                if output.micros == micros:
                    columns[output.name] = _aggregate(measure, values, alive, probes.times)
    return columns


def _aggregate(measure: MeasurePlan, read: _Values, alive: Alive, at: Ints) -> pa.Array:
    ones = read.valid.astype(np.int64)
    match measure.kind:
        case "count":
            return pa.array(alive.total(ones))
        case "sum":
            return pa.array(alive.total(read.values * ones))
        case "mean" | "share":
            return _ratio(alive.total(read.values * ones), alive.total(ones) * 10**measure.scale)
        case "distinct":
            return pa.array(alive.distinct(read.values, read.valid))
        case "max":
            best, found = alive.greatest(read.values, read.valid)
            return pa.array(best, mask=~found)
        case "min":
            best, found = alive.greatest(-read.values, read.valid)
            return pa.array(-best, mask=~found)
        case "hours_since_last":
            latest, found = alive.greatest(read.values, read.valid)
            return _hours(at - latest, found)
        case "hours_since_first":
            earliest, found = alive.greatest(-read.values, read.valid)
            return _hours(at + earliest, found)


def _values(rows: pa.Table, measure: MeasurePlan, times: Ints) -> _Values:
    if measure.slot is None:
        return _Values(times, np.ones(len(times), dtype=np.bool_))
    if measure.kind == "distinct":
        column = rows[text_column(measure.slot)].combine_chunks().dictionary_encode()
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        return _Values(column.indices.fill_null(0).to_numpy().astype(np.int64), valid)
    column = rows[number_column(measure.slot)]
    valid = column.is_valid().to_numpy()
    return _Values(column.fill_null(0).to_numpy().astype(np.int64), valid)


def _ints(rows: pa.Table, name: str) -> Ints:
    return np.asarray(rows[name].to_numpy(), dtype=np.int64)


def _ratio(numerator: Ints, denominator: Ints) -> pa.Array:
    found = denominator != 0
    quotient: Floats = numerator / np.where(found, denominator, 1)
    return pa.array(quotient, mask=~found)


def _hours(micros: Ints, found: Bools) -> pa.Array:
    return pa.array(np.where(found, micros, 0) / _MICROS_PER_HOUR, mask=~found)
