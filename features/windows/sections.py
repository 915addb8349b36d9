"""Hot keys cut by time: each section gets its own rows, what it looks back on, and summaries of what it need not see.

An event whose window reaches over a whole section counts for all of its probes alike, so it comes summed up with all
others like it; one whose window ends within the section comes by itself. So a section holds its own rows and, for each
window, about as many that leave it: bounded, however long the key's history, and exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, IntegerType, LongType, StructField, StructType

from features.declare import Kind
from features.windows.block import (
    COUNTED,
    COUNTS,
    EDGE,
    EVERY_WINDOW,
    GREATEST,
    KEY,
    KIND_BITS,
    KNOWN,
    LEAST,
    ROLE,
    ROW,
    SECTION,
    SERVES,
    SQUARES_BITS,
    SQUARES_HIGH,
    SQUARES_LOW,
    STREAM,
    SUMMED,
    TIME,
    TOLD,
    VALUE,
    WHOLE,
    number_column,
    text_column,
)
from features.windows.hot_keys import Brought, HotKey, begins, brought, section_of
from features.windows.plan import TOLD_APART, MeasurePlan, StreamPlan

_FROM, _AFTER, _BY_ITSELF, _AS_SUMMARY = "_from", "_after", "_by_itself", "_as_summary"

_DIGITS = DecimalType(19, 0)
_EDGES = ("first", "last")

# Kinds whose values are summed up in a slot of their own.
_SUMMARIES: Mapping[int, tuple[Kind, ...]] = {
    SUMMED: ("sum", "mean", "share", "std"),
    LEAST: ("min", "hours_since_first"),
    GREATEST: ("max", "hours_since_last"),
    SQUARES_HIGH: ("std",),
    SQUARES_LOW: ("std",),
}


def in_sections(rows: DataFrame, streams: Sequence[StreamPlan], hot: Sequence[HotKey]) -> DataFrame:
    """Every row in its section, and what sections need of those before.

    Args:
        rows: probes and events as they are exchanged.

    Returns:
        The rows with ``section`` and ``serves``; with replicas and summaries of events of hot keys.
    """
    cuts = {key.key: key.cuts for key in hot}
    at = begins(streams)
    own = rows.withColumns({SECTION: section_of(at, cuts), SERVES: F.lit(EVERY_WINDOW)})
    held = rows.where(F.col(KEY).isin(list(cuts))).withColumn(_FROM, section_of(at, cuts))
    for stream in streams:
        needs = [need for key in hot for need in brought(key, stream)]
        if needs:
            events = held.where(F.col(STREAM) == stream.stream)
            places = _places(rows, needs)
            own = own.unionByName(_replicas(events, places, stream))
            for part in _summaries(events, places, stream):
                own = own.unionByName(part)
    return own


def _places(rows: DataFrame, needs: Sequence[Brought]) -> DataFrame:
    schema = StructType(
        [
            StructField(KEY, rows.schema[KEY].dataType),
            StructField(_FROM, IntegerType()),
            StructField(SECTION, IntegerType()),
            *(StructField(name, LongType()) for name in (_AFTER, _BY_ITSELF, _AS_SUMMARY)),
        ]
    )
    values = [(n.key, n.section, n.to, n.after, n.by_itself, n.as_summary) for n in needs]
    return F.broadcast(rows.sparkSession.createDataFrame(values, schema))


def _replicas(events: DataFrame, places: DataFrame, stream: StreamPlan) -> DataFrame:
    """Events that later sections see by themselves, in the windows in which they still do."""
    serves = F.col(_BY_ITSELF)
    if not stream.is_revised:
        reaches = [(1 << bit, micros) for bit, micros in enumerate(stream.windows)]
        reaches.append((WHOLE, stream.whole_reach))
        parts = [_bit(bit, micros) for bit, micros in reaches]
        serves = parts[0]
        for part in parts[1:]:
            serves = serves.bitwiseOR(part)
    joined = events.join(places.where(F.col(_BY_ITSELF) != 0), on=[KEY, _FROM], how="inner")
    return (
        joined.withColumn(SERVES, serves)
        .where(F.col(SERVES) != 0)
        .drop(_FROM, _AFTER, _BY_ITSELF, _AS_SUMMARY)
    )


def _bit(bit: int, micros: int | None) -> Column:
    wanted = F.col(_BY_ITSELF).bitwiseAND(F.lit(bit).cast("long")) != 0
    if micros is not None:
        wanted &= F.col(TIME) + micros > F.col(_AFTER)
    return F.when(wanted, F.lit(bit).cast("long")).otherwise(F.lit(0).cast("long"))


def _summaries(events: DataFrame, places: DataFrame, stream: StreamPlan) -> Iterator[DataFrame]:
    """What later sections need of the events of each section as a sum, a number, or the first and last of them."""
    blank = _Blank(events, stream)
    totals = events.groupBy(KEY, _FROM).agg(
        F.count("*").alias("rows"),
        F.min(TIME).alias("first"),
        F.max(TIME).alias("last"),
        *(column.alias(name) for name, column in _aggregates(stream.measures).items()),
    )
    ready = [blank.row(COUNTED, {KNOWN: F.col("rows")} | _numbers(stream, None, "n"))]
    ready += [
        blank.row(kind, times | _numbers(stream, kinds, name))
        for kind, kinds, name, times in (
            (SUMMED, _SUMMARIES[SUMMED], "sum", {}),
            (LEAST, _SUMMARIES[LEAST], "min", {TIME: F.col("first")}),
            (GREATEST, _SUMMARIES[GREATEST], "max", {TIME: F.col("last")}),
            (SQUARES_HIGH, _SUMMARIES[SQUARES_HIGH], "high", {}),
            (SQUARES_LOW, _SUMMARIES[SQUARES_LOW], "low", {}),
        )
        if any(measure.kind in kinds for measure in stream.measures)
    ]
    for measure in stream.measures:
        if measure.kind in _EDGES and measure.slot is not None:
            edge = F.col(f"{measure.kind}_{measure.slot}")
            place = {TIME: edge[TIME], ROW: edge[ROW], number_column(measure.slot): edge["value"]}
            ready.append(F.when(edge.isNotNull(), blank.row(EDGE, place)))
    rows = totals.select(KEY, _FROM, F.explode(F.array_compact(F.array(*ready))).alias("_row"))
    yield _placed(rows.select(KEY, _FROM, "_row.*"), places, blank)
    for column in dict.fromkeys(filter(None, map(_told_apart, stream.measures))):
        found = events.where(F.col(column).isNotNull()).groupBy(KEY, _FROM, column)
        row = blank.row(VALUE, {KNOWN: F.col("rows"), column: F.col(column)})
        counted = found.agg(F.count("*").alias("rows")).select(KEY, _FROM, row.alias("_row"))
        yield _placed(counted.select(KEY, _FROM, "_row.*"), places, blank)


def _placed(rows: DataFrame, places: DataFrame, blank: _Blank) -> DataFrame:
    """Summaries in the sections they are for; the number of rows in every later one, for it tells of a history."""
    joined = rows.join(places, on=[KEY, _FROM], how="inner")
    is_needed = (F.col(_AS_SUMMARY) != 0) | (F.col("_kind") == COUNTED)
    serves = F.shiftleft(F.col("_kind").cast("long"), KIND_BITS).bitwiseOR(F.col(_AS_SUMMARY))
    return joined.where(is_needed).withColumn(SERVES, serves).select(*blank.columns, SECTION, SERVES)


def _aggregates(measures: Sequence[MeasurePlan]) -> dict[str, Column]:
    """What is known of the numbers of one section, by name."""
    found: dict[str, Column] = {}
    for measure in measures:
        if measure.slot is None or measure.kind in TOLD_APART:
            continue
        slot, number = measure.slot, F.col(number_column(measure.slot))
        found[f"n_{slot}"] = F.count(number)
        if measure.kind in _SUMMARIES[SUMMED]:
            found[f"sum_{slot}"] = F.sum(number)
        if measure.kind in _SUMMARIES[LEAST]:
            found[f"min_{slot}"] = F.min(number)
        if measure.kind in _SUMMARIES[GREATEST]:
            found[f"max_{slot}"] = F.max(number)
        if measure.kind in _EDGES:
            place = F.when(number.isNotNull(), F.struct(TIME, ROW, number.alias("value")))
            found[f"{measure.kind}_{slot}"] = F.min(place) if measure.kind == "first" else F.max(place)
        if measure.kind == "std":
            squares, unit = (
                F.sum(number.cast(_DIGITS) * number.cast(_DIGITS)),
                F.lit(1 << SQUARES_BITS).cast(_DIGITS),
            )
            high = F.floor(squares / unit)
            found[f"high_{slot}"] = high.cast("long")
            found[f"low_{slot}"] = (squares - high.cast(_DIGITS) * unit).cast("long")
    return found


def _numbers(stream: StreamPlan, kinds: tuple[Kind, ...] | None, name: str) -> dict[str, Column]:
    """One aggregate of every measure of some kinds, in the measure's own column."""
    return {
        number_column(measure.slot): F.col(f"{name}_{measure.slot}")
        for measure in stream.measures
        if measure.slot is not None
        and measure.kind not in TOLD_APART
        and (kinds is None or measure.kind in kinds)
    }


def _told_apart(measure: MeasurePlan) -> str | None:
    """The column whose different values a measure counts."""
    if measure.slot is None:
        return None
    if measure.kind in TOLD_APART:
        return text_column(measure.slot)
    return number_column(measure.slot) if measure.kind == "approx_distinct" else None


class _Blank:
    """A summary row as it is exchanged, with nothing in it but what is given."""

    def __init__(self, events: DataFrame, stream: StreamPlan) -> None:
        self._stream = stream.stream
        self.columns = [name for name in events.columns if name != _FROM]
        self._types = {field.name: field.dataType for field in events.schema}

    def row(self, kind: int, given: Mapping[str, Column]) -> Column:
        """One row that stands for many."""
        fixed: dict[str, Column] = {
            ROW: F.lit(""),
            TIME: F.lit(0),
            KNOWN: F.lit(0),
            ROLE: F.lit(COUNTS),
            TOLD: F.lit(0),
        }
        values = fixed | dict(given)
        columns = [
            values.get(name, F.lit(None)).cast(self._types[name]).alias(name)
            for name in self.columns
            if name not in {KEY, STREAM}
        ]
        return F.struct(F.lit(kind).alias("_kind"), F.lit(self._stream).alias(STREAM), *columns)
