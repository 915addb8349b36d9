"""What many events of one key come to: how many they are, sums, extremes, the first and the last, each different value.

Totals are one row per key; summaries say the same as rows of the exchange, which the kernel takes as it takes events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType

from features.declare import Kind
from features.windows.block import (
    COUNTED,
    COUNTS,
    EDGE,
    GREATEST,
    IS_REVISION,
    IS_SETTLED,
    KEY,
    KIND_BITS,
    KNOWN,
    LEAST,
    NAMELESS,
    PEAK,
    PRODUCT_BITS,
    ROLE,
    ROW,
    SERVES,
    SQUARES_HIGH,
    SQUARES_LOW,
    STREAM,
    SUMMED,
    TIME,
    TOLD,
    VALUE,
    WEIGHED_HIGH,
    WEIGHED_LOW,
    number_column,
    text_column,
)
from features.windows.decay import segment, weight
from features.windows.intervals import FOREVER
from features.windows.plan import BY_VALUE, TOLD_APART, MeasurePlan, StreamPlan
from features.windows.settled import counts, has_role

KIND, ROWS, VALUES, MARK = "kind", "rows", "values", "mark"

_DIGITS = DecimalType(19, 0)
_EDGES: Mapping[Kind, Callable[[Column], Column]] = {"first": F.min, "last": F.max}

# Measures whose values are summed up in a slot of their own.
_TAKERS: Mapping[int, tuple[Kind, ...]] = {
    SUMMED: ("sum", "mean", "share", "std"),
    LEAST: ("min", "hours_since_first"),
    GREATEST: ("max", "hours_since_last"),
    SQUARES_HIGH: ("std",),
    SQUARES_LOW: ("std",),
}


@dataclass(frozen=True, slots=True)
class Total:
    """One aggregate of a key's events: its name, how it is made of events, and how of totals of some of them each."""

    name: str
    of_events: Column
    of_totals: Column

    @classmethod
    def by(cls, aggregate: Callable[[Column], Column], name: str, value: Column) -> Total:
        """An aggregate that is the same of events as of what it gives."""
        return cls(name, aggregate(value), aggregate(F.col(name)))


def totals_of(stream: StreamPlan) -> list[Total]:
    """Everything that is kept of a stream's events but their different values; integers."""
    when = F.when(counts(stream), F.col(TIME))
    found = [
        Total(ROWS, F.count_if(counts(stream)), F.sum(ROWS)),
        Total.by(F.min, "begin", when),
        Total.by(F.max, "end", when),
    ]
    if stream.is_revised:
        found.append(Total.by(F.max, MARK, F.when(has_role(IS_REVISION), 1).otherwise(0).cast("long")))
    for slot, kinds in _kinds_by_slot(stream).items():
        number = F.col(number_column(slot))
        found.append(Total(f"n_{slot}", F.count(number), F.sum(f"n_{slot}")))
        for kind, aggregate, name in (
            (SUMMED, F.sum, "sum"),
            (LEAST, F.min, "min"),
            (GREATEST, F.max, "max"),
        ):
            if kinds & set(_TAKERS[kind]):
                found.append(Total.by(aggregate, f"{name}_{slot}", number))
        if "std" in kinds:
            found.append(Total.by(F.sum, f"squares_{slot}", number.cast(_DIGITS) * number.cast(_DIGITS)))
    return found


def edges_of(stream: StreamPlan) -> list[Total]:
    """The first and the last event with a value, as (time, row, value), where a measure asks for them."""
    found = []
    for slot, kinds in _kinds_by_slot(stream).items():
        number = F.col(number_column(slot))
        place = F.when(number.isNotNull(), F.struct(TIME, ROW, number.alias("value")))
        found += [
            Total.by(extreme, f"{kind}_{slot}", place) for kind, extreme in _EDGES.items() if kind in kinds
        ]
    return found


def value_column(measure: MeasurePlan) -> str | None:
    """The column whose different values a measure counts; None where it does not ask for them."""
    if measure.slot is None or measure.kind not in BY_VALUE:
        return None
    return text_column(measure.slot) if measure.kind in TOLD_APART else number_column(measure.slot)


def value_columns(stream: StreamPlan) -> list[str]:
    """The columns whose different values a measure counts."""
    found = [value_column(measure) for measure in stream.measures]
    return list(dict.fromkeys(column for column in found if column is not None))


def totals(events: DataFrame, by: Sequence[str], stream: StreamPlan) -> DataFrame:
    """All totals of the events that agree in ``by``: a row for each."""
    aggregates = [*totals_of(stream), *edges_of(stream)]
    return events.groupBy(*by).agg(*(one.of_events.alias(one.name) for one in aggregates))


def values(events: DataFrame, by: Sequence[str], column: str) -> DataFrame:
    """Each different value of a column among the events that agree in ``by``, with the number of its ``rows``."""
    return events.where(F.col(column).isNotNull()).groupBy(*by, column).agg(F.count("*").alias(ROWS))


def weighed(events: DataFrame, by: Sequence[str], stream: StreamPlan, half_life: int) -> DataFrame:
    """For each segment of a decay its beginning (``time``), and the weighed sums of the events that agree in ``by``."""
    decaying = _decaying(stream, half_life)
    weights = weight(F.col(TIME), half_life).cast(_DIGITS).alias("_weight")
    begin = (F.col(TIME) - F.pmod(F.col(TIME), F.lit(segment(half_life)))).alias(TIME)
    ready = events.select(*by, begin, weights, *(value.alias(name) for name, value in decaying.items()))
    sums = (F.sum(F.col(name).cast(_DIGITS) * F.col("_weight")).alias(name) for name in decaying)
    return ready.groupBy(*by, TIME).agg(*sums)


def weighed_together(sums: DataFrame, by: Sequence[str], stream: StreamPlan, half_life: int) -> DataFrame:
    """What ``weighed`` gives, of several groups of events that agree in ``by``."""
    return sums.groupBy(*by, TIME).agg(*(F.sum(name).alias(name) for name in _decaying(stream, half_life)))


def _decaying(stream: StreamPlan, half_life: int) -> dict[str, Column]:
    """The values of an event that decay with this half-life, by the column that carries their sums."""
    found = {}
    for measure in stream.measures:
        if measure.kind == "decayed" and measure.span == half_life:
            if measure.slot is None:
                found[KNOWN] = F.when(counts(stream), 1)
            else:
                found[number_column(measure.slot)] = F.col(number_column(measure.slot))
    return found


def halves(products: Column) -> tuple[Column, Column]:
    """A sum of products in two parts: what is above 62 bits, and the rest, which is not negative."""
    # No division with decimal places, which are rounded.
    unit = F.lit(1 << PRODUCT_BITS).cast(_DIGITS)
    low = F.pmod(products, unit)
    return F.call_function("div", products - low, unit).cast("long"), low.cast("long")


def in_windows(summaries: DataFrame, windows: Column) -> DataFrame:
    """Summaries that serve these windows (a bit each), with ``serves`` in place of their ``kind``."""
    kind = F.shiftleft(F.col(KIND).cast("long"), KIND_BITS)
    return summaries.withColumn(SERVES, kind.bitwiseOR(windows.cast("long"))).drop(KIND)


class Summaries:
    """Totals and different values of one stream as rows of the exchange, with ``kind``."""

    def __init__(self, exchanged: DataFrame, stream: StreamPlan) -> None:
        self._stream = stream
        self._types = {field.name: field.dataType for field in exchanged.schema}
        self.columns = exchanged.columns

    def of_totals(self, rows: DataFrame, by: Sequence[str]) -> DataFrame:
        """Several rows for each row of totals."""
        ready = [self._row(COUNTED, {KNOWN: F.col(ROWS)} | self._numbers(None, "n"))]
        squares: dict[int, dict[str, Column]] = {SQUARES_HIGH: {}, SQUARES_LOW: {}}
        for slot, kinds in _kinds_by_slot(self._stream).items():
            if "std" in kinds:
                high, low = halves(F.col(f"squares_{slot}"))
                squares[SQUARES_HIGH][number_column(slot)] = high
                squares[SQUARES_LOW][number_column(slot)] = low
        for kind, given in (
            (SUMMED, self._numbers(SUMMED, "sum")),
            (LEAST, {TIME: F.col("begin")} | self._numbers(LEAST, "min")),
            (GREATEST, {TIME: F.col("end")} | self._numbers(GREATEST, "max")),
            *squares.items(),
        ):
            if any(measure.kind in _TAKERS[kind] for measure in self._stream.measures):
                ready.append(F.when(F.col(ROWS) > 0, self._row(kind, given)))
        for one in edges_of(self._stream):
            edge, slot = F.col(one.name), int(one.name.rpartition("_")[2])
            place = {TIME: edge[TIME], ROW: edge[ROW], number_column(slot): edge["value"]}
            ready.append(F.when(edge.isNotNull(), self._row(EDGE, place)))
        exploded = rows.select(*by, F.explode(F.array_compact(F.array(*ready))).alias("_row"))
        return exploded.select(*by, "_row.*")

    def of_weighed(self, rows: DataFrame, by: Sequence[str], half_life: int) -> DataFrame:
        """Two rows for each segment of a decay."""
        high, low = {TIME: F.col(TIME)}, {TIME: F.col(TIME)}
        for name in _decaying(self._stream, half_life):
            high[name], low[name] = halves(F.coalesce(F.col(name), F.lit(0).cast(_DIGITS)))
        parts = F.array(self._row(WEIGHED_HIGH, high), self._row(WEIGHED_LOW, low))
        return rows.select(*by, F.explode(parts).alias("_row")).select(*by, "_row.*")

    def of_peaks(self, rows: DataFrame, by: Sequence[str], height: str) -> DataFrame:
        """A row for each greatest height."""
        return rows.select(*by, self._row(PEAK, {height: F.col(height)}).alias("_row")).select(*by, "_row.*")

    def of_values(self, rows: DataFrame, by: Sequence[str], column: str) -> DataFrame:
        """A row for each different value."""
        row = self._row(VALUE, {KNOWN: F.col(ROWS), column: F.col(column)})
        return rows.select(*by, row.alias("_row")).select(*by, "_row.*")

    def of_values_held(self, rows: DataFrame, by: Sequence[str], column: str) -> DataFrame:
        """A row for each value with a name, and for each number of ``values`` of so many ``rows``."""
        has_name = F.col(column).isNotNull()
        row = self._row(
            F.when(has_name, VALUE).otherwise(NAMELESS),
            {
                KNOWN: F.col(ROWS),
                TIME: F.when(has_name, 0).otherwise(F.col(VALUES)),
                # Whatever it is, so that it is not null.
                column: F.coalesce(F.col(column), F.lit(0).cast(self._types[column])),
            },
        )
        return rows.select(*by, row.alias("_row")).select(*by, "_row.*")

    def _numbers(self, kind: int | None, name: str) -> dict[str, Column]:
        """One total of every slot that has it, in the slot's own column."""
        return {
            number_column(slot): F.col(f"{name}_{slot}")
            for slot, kinds in _kinds_by_slot(self._stream).items()
            if kind is None or kinds & set(_TAKERS[kind])
        }

    def _row(self, kind: int | Column, given: Mapping[str, Column]) -> Column:
        """A row with nothing in it but what is given."""
        fixed: dict[str, Column] = {
            STREAM: F.lit(self._stream.stream),
            ROW: F.lit(""),
            TIME: F.lit(0),
            KNOWN: F.lit(0),
            ROLE: F.lit(COUNTS | IS_SETTLED),
            TOLD: F.lit(FOREVER),
        }
        cells = fixed | dict(given)
        columns = [
            cells.get(name, F.lit(None)).cast(self._types[name]).alias(name)
            for name in self.columns
            if name != KEY
        ]
        return F.struct((F.lit(kind) if isinstance(kind, int) else kind).alias(KIND), *columns)


def _kinds_by_slot(stream: StreamPlan) -> dict[int, set[Kind]]:
    """The measures that read a column of numbers."""
    found: dict[int, set[Kind]] = {}
    for measure in stream.measures:
        if measure.slot is not None and measure.kind not in TOLD_APART:
            found.setdefault(measure.slot, set()).add(measure.kind)
    return found
