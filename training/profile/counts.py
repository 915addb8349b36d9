"""How many rows have a value, and how many of them turned out to be fraud: all columns and days in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, NumericType, StringType, TimestampType
from pyspark.sql.window import Window

from training.profile.columns import LONGEST, QUANTILES, ColumnFigures, cut, shown

IS_SETTLED, IS_FRAUD = "_is_settled", "_is_fraud"
MOST_DISTINCT = 100_000
SLICE_VALUES = 12
TOP_VALUES = 20
MOST_DAYS = 4_000
_VALUE, _QUARTER, _DAY, _ALL = "value", "quarter", "day", "all"
_QUARTERS = [QUANTILES.index(share) for share in (0.25, 0.5, 0.75)]


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that have one value (None: no value), how many of them are settled, and how many of those are fraud."""

    value: str | None
    rows: int
    settled: int
    frauds: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted.

    Attributes:
        whole: all rows.
        top: the most frequent values by column, at most 20; of columns with at most about 100,000.
        slices: every value of columns with few, and quarters of the other numbers, by column.
        days: rows a day (UTC), in order; of a log of more than 4,000 days the latest.
    """

    whole: Counted
    top: Mapping[str, Sequence[Counted]]
    slices: Mapping[str, Sequence[Counted]]
    days: Sequence[Counted]


def counts(rows: DataFrame, columns: Sequence[ColumnFigures], *, day_of: str) -> Counts:
    """Count every value, quarter and day of the rows.

    Args:
        rows: the columns, and ``IS_SETTLED`` and ``IS_FRAUD``, both boolean.
        columns: what is known of the columns from the pass before.
        day_of: the instant that a row's day is taken from.
    """
    types = {field.name: field.dataType for field in rows.schema}
    named = {column.name: column for column in columns}
    valued = [
        column.name
        for column in columns
        if column.distinct <= MOST_DISTINCT and not isinstance(types[column.name], TimestampType)
    ]
    quartered = [
        column.name
        for column in columns
        if isinstance(types[column.name], NumericType) and column.distinct > SLICE_VALUES
    ]
    entries = [
        _entry(_ALL, "", F.lit(None)),
        _entry(_DAY, "", F.to_date(day_of)),
        *(_entry(_VALUE, name, F.col(f"`{name}`")) for name in valued),
        *(_entry(_QUARTER, name, _quarter(named[name])) for name in quartered),
    ]
    found = _counted(rows, entries)
    sliced = [
        name
        for name in valued
        if named[name].distinct <= SLICE_VALUES
        and isinstance(types[name], StringType | BooleanType | NumericType)
    ]
    slices = {name: found[_VALUE, name] for name in sliced} | {
        name: list(_in_words(found[_QUARTER, name], named[name])) for name in quartered
    }
    return Counts(
        whole=next(iter(found[_ALL, ""]), Counted(None, 0, 0, 0)),
        top={name: _filled(found[_VALUE, name]) for name in valued},
        slices={name: slices[name] for name in named if name in slices},
        days=sorted(found[_DAY, ""], key=lambda one: one.value or ""),
    )


def _entry(kind: str, name: str, value: Column) -> Column:
    return F.struct(F.lit(kind).alias("kind"), F.lit(name).alias("name"), value.cast("string").alias("value"))


def _counted(rows: DataFrame, entries: Sequence[Column]) -> dict[tuple[str, str], list[Counted]]:
    """The most frequent values of each kind and name, most frequent first."""
    exploded = rows.select(F.explode(F.array(*entries)).alias("entry"), IS_SETTLED, IS_FRAUD)
    grouped = exploded.groupBy("entry.kind", "entry.name", "entry.value").agg(
        F.count("*").alias("rows"),
        F.count_if(F.col(IS_SETTLED)).alias("settled"),
        F.count_if(F.col(IS_SETTLED) & F.col(IS_FRAUD)).alias("frauds"),
    )
    frequent = Window.partitionBy("kind", "name").orderBy(F.desc("rows"), "value")
    latest = Window.partitionBy("kind", "name").orderBy(F.desc("value"))
    is_day = F.col("kind") == _DAY
    # A null may be among the most frequent, and is shown apart.
    kept = F.when(is_day, F.row_number().over(latest) <= MOST_DAYS).otherwise(
        F.row_number().over(frequent) <= TOP_VALUES + 1
    )
    ranked = grouped.withColumn("is_kept", kept).where("is_kept")
    found = defaultdict(list)
    short = ranked.withColumn("value", F.substring("value", 1, LONGEST + 1))
    for row in sorted(short.collect(), key=lambda row: (-row["rows"], row["value"] or "")):
        value = None if row["value"] is None else cut(row["value"])
        found[row["kind"], row["name"]].append(Counted(value, row["rows"], row["settled"], row["frauds"]))
    return found


def _filled(values: Sequence[Counted]) -> list[Counted]:
    return [one for one in values if one.value is not None][:TOP_VALUES]


def _quarter(column: ColumnFigures) -> Column:
    value = F.col(f"`{column.name}`")
    limits = [column.quantiles[at] for at in _QUARTERS]
    steps = ((value <= F.lit(limit), str(number)) for number, limit in enumerate(limits))
    chosen = reduce(lambda case, step: case.when(*step), steps, F.when(value.isNull(), F.lit(None)))
    return chosen.otherwise(str(len(limits)))


def _in_words(quarters: Sequence[Counted], column: ColumnFigures) -> Iterator[Counted]:
    """Quarters in their order, each with its limits, and what has no value last."""
    low, middle, high = (shown(column.quantiles[at]) for at in _QUARTERS)
    words = (f"up to {low}", f"above {low}, up to {middle}", f"above {middle}, up to {high}", f"above {high}")
    for one in sorted(quarters, key=lambda one: one.value or "none"):
        yield Counted(None if one.value is None else words[int(one.value)], one.rows, one.settled, one.frauds)
