"""What is long past, summed up per key and kept, so that a build reads only what windows still hold.

A state stands for all events that began to count by an instant. Lifetime windows of later probes see it as they would
see each event; shorter windows see the events themselves, as far back as they reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, LongType, MapType, StringType, StructField, StructType

from features.began import instant
from features.last_changes import KnownChanges
from features.links import LINKED_AT, SUBJECT, KnownLinks
from features.windows.block import KEY, STREAM, height_column
from features.windows.plan import StreamPlan
from features.windows.summaries import (
    MARK,
    ROWS,
    Total,
    edges_of,
    totals,
    totals_of,
    value_columns,
    values,
)
from lake.described import described

_TOTALS, _EDGES, _OF, _VALUE = "totals", "edges", "value_of", "value"
_LINK, _PEAKS, _CHANGE = "subject of a link", "greatest bursts", "last change"

_DIGITS = DecimalType(38, 0)
_EDGE = StructType(
    [StructField("time", LongType()), StructField("row", StringType()), StructField("value", LongType())]
)
_MAPS = {
    _TOTALS: (_DIGITS, "Totals of the key's events by name; null in a row that counts a value"),
    _EDGES: (_EDGE, "First and last event with a value, by name"),
}

SCHEMA = StructType(
    [
        *described(
            "key string: The entity's key, as text",
            "stream int: Place of the group among those of the entity, or of the look-up",
        ),
        *(
            StructField(name, MapType(StringType(), kind), metadata={"comment": comment})
            for name, (kind, comment) in _MAPS.items()
        ),
        *described(
            "value_of string: Column whose different values are counted, what a link links, bursts, or what a look-up "
            "finds; null for totals",
            "value string: The value, of a look-up as JSON; null for bursts",
            "rows long: Events with the value; null for links, bursts and look-ups",
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class State:
    """The events of one entity that began to count by ``until`` (microseconds), summed up.

    ``rows``, of ``SCHEMA``: of each key and stream, one with the totals and one for each different value that a measure
    counts, and one with the greatest bursts over a lifetime; of groups that read links, one for each first link of a
    subject with a key; of look-ups, one for the last change of a key. ``rereads``: for each stream that is revised, the
    keys that it does not stand for; None where these are too many, and it stands for none.
    """

    until: int
    rows: DataFrame
    rereads: Mapping[int, tuple[str | int, ...] | None] = field(default_factory=dict)

    def stands_for(self, stream: StreamPlan) -> bool:
        """Whether it stands for most keys of a stream. Not where nobody said which ones were revised since."""
        return stream.has_bounds and (not stream.is_revised or self.rereads.get(stream.stream) is not None)

    def reread_keys(self, stream: StreamPlan) -> tuple[str | int, ...]:
        """The keys of a stream that it does not stand for."""
        return self.rereads.get(stream.stream) or ()

    def is_reread(self, stream: StreamPlan, key: Column) -> Column:
        """Whether a key is one that it does not stand for."""
        keys = self.reread_keys(stream)
        return F.coalesce(key.isin(list(keys)), F.lit(False)) if keys else F.lit(False)

    def kept(self, stream: StreamPlan) -> DataFrame:
        """The rows of the keys of a stream that it stands for."""
        texts = [
            key if isinstance(key, str) else F.lit(key).cast("string") for key in self.reread_keys(stream)
        ]
        of_stream = self.rows.where(F.col("stream") == stream.stream)
        return of_stream.where(~F.col("key").isin(texts)) if texts else of_stream

    def links(self, stream: int) -> KnownLinks:
        """The first links of the group with this number."""
        of_stream = self.rows.where((F.col("stream") == stream) & (F.col(_OF) == _LINK))
        since = F.col(_TOTALS)[LINKED_AT].cast("long").alias(LINKED_AT)
        return KnownLinks(self.until, of_stream.select("key", F.col(_VALUE).alias(SUBJECT), since))

    def changes(self, lookup: int) -> KnownChanges:
        """The last changes that the entity's look-up with this number found."""
        of_lookup = self.rows.where((F.col("stream") == lookup) & (F.col(_OF) == _CHANGE))
        return KnownChanges(self.until, of_lookup.select("key", F.col(_VALUE).alias("change")))

    def marked(self, stream: StreamPlan, key: DataType) -> DataFrame:
        """The keys of a stream that are always read whole, as this type."""
        is_marked = (F.col("stream") == stream.stream) & (F.col(_TOTALS)[MARK] > 0)
        return self.rows.where(is_marked).select(F.col("key").cast(key).alias(KEY))

    def totals(self, exchanged: DataFrame, stream: StreamPlan) -> DataFrame:
        """The totals of a stream, a row per key."""
        of_stream = self.kept(stream).where(F.col(_OF).isNull())
        return of_stream.select(_key(exchanged), *_unfolded(stream))

    def peaks(self, exchanged: DataFrame, stream: StreamPlan) -> DataFrame:
        """The greatest height of each lasting peak of a stream, a row per key."""
        of_stream = self.kept(stream).where(F.col(_OF) == _PEAKS)
        return of_stream.select(_key(exchanged), *_unfolded_peaks(stream))

    def values(self, exchanged: DataFrame, stream: StreamPlan, column: str) -> DataFrame:
        """The different values of a column: ``key``, the column, ``rows``."""
        of_column = self.kept(stream).where(F.col(_OF) == column)
        cells = F.col(_VALUE).cast(exchanged.schema[column].dataType).alias(column)
        return of_column.select(_key(exchanged), cells, ROWS)


def is_still_seen(stream: StreamPlan, until: int) -> Column:
    """The rows of a group's source that later probes do not find in the state alone."""
    return (F.col("known_at") > instant(until)) | (F.col("event_at") > instant(until - longest_reach(stream)))


def longest_reach(stream: StreamPlan) -> int:
    """For how long after it happened a row is seen by itself, in microseconds."""
    longest = max((reach.most for reach in stream.reaches if reach.most is not None), default=0)
    return max(longest, longest_held(stream))


def longest_held(stream: StreamPlan) -> int:
    """For how long after it happened a row raises what bursts over a lifetime remember, in microseconds."""
    return max((peak.span for peak in stream.lasting_peaks.values()), default=0)


def folded_links(links: DataFrame, stream: int) -> DataFrame:
    """First links as rows of a state."""
    since = F.create_map(F.lit(LINKED_AT), F.col(LINKED_AT).cast(_DIGITS))
    number, what = F.lit(stream).alias("stream"), F.lit(_LINK).alias(_OF)
    return links.select("key", number, since.alias(_TOTALS), what, F.col(SUBJECT).alias(_VALUE))


def folded_changes(changes: DataFrame, lookup: int) -> DataFrame:
    """Last changes as rows of a state."""
    number, what = F.lit(lookup).alias("stream"), F.lit(_CHANGE).alias(_OF)
    return changes.select("key", number, what, F.col("change").alias(_VALUE))


def folded_peaks(heights: DataFrame, stream: StreamPlan, before: State | None) -> DataFrame:
    """Greatest heights as rows of the state that stands for ``before`` and for these, which came after it."""
    names = [height_column(number) for number in stream.lasting_peaks]
    highest = heights.withColumn(KEY, F.col(KEY).cast("string"))
    if before is not None and before.stands_for(stream):
        old = before.kept(stream).where(F.col(_OF) == _PEAKS).select(KEY, *_unfolded_peaks(stream))
        both = highest.unionByName(old).groupBy(KEY)
        highest = both.agg(*(F.max(name).alias(name) for name in names))
    pairs = [part for name in names for part in (F.lit(name), F.col(name).cast(_DIGITS))]
    number, what = F.lit(stream.stream).alias("stream"), F.lit(_PEAKS).alias(_OF)
    return highest.select(KEY, number, F.create_map(*pairs).alias(_TOTALS), what)


def folded(events: DataFrame, streams: Sequence[StreamPlan], before: State | None) -> list[DataFrame]:
    """The rows of the state that stands for ``before`` and for events that began to count after it, in parts.

    Args:
        events: events as they are exchanged.
    """
    parts: list[DataFrame] = []
    for stream in streams:
        of_stream = events.where(F.col(STREAM) == stream.stream).withColumn(KEY, F.col(KEY).cast("string"))
        number = F.lit(stream.stream).alias("stream")
        wide = totals(of_stream, (KEY,), stream)
        counted = {
            column: values(of_stream, (KEY,), column).select(
                KEY, F.col(column).cast("string").alias(_VALUE), ROWS
            )
            for column in value_columns(stream)
        }
        if before is not None and before.stands_for(stream):
            old = before.kept(stream)
            wide = _together(wide, old.where(F.col(_OF).isNull()).select(KEY, *_unfolded(stream)), stream)
            counted = {
                column: new.unionByName(old.where(F.col(_OF) == column).select(KEY, _VALUE, ROWS))
                .groupBy(KEY, _VALUE)
                .agg(F.sum(ROWS).alias(ROWS))
                for column, new in counted.items()
            }
        parts.append(wide.select(KEY, number, *_folded(stream)))
        parts += [
            found.select(KEY, number, F.lit(column).alias(_OF), _VALUE, ROWS)
            for column, found in counted.items()
        ]
    return parts


def of_parts(parts: Sequence[DataFrame]) -> DataFrame:
    """The rows of a state, of parts that lack some of its columns."""
    whole = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), parts)
    return whole.to(SCHEMA)


def _together(wide: DataFrame, old: DataFrame, stream: StreamPlan) -> DataFrame:
    aggregates = [*totals_of(stream), *edges_of(stream)]
    return wide.unionByName(old).groupBy(KEY).agg(*(one.of_totals.alias(one.name) for one in aggregates))


def _folded(stream: StreamPlan) -> list[Column]:
    """Totals and edges by name, in two maps."""
    return [
        _by_name(totals_of(stream), _DIGITS).alias(_TOTALS),
        _by_name(edges_of(stream), _EDGE).alias(_EDGES),
    ]


def _by_name(aggregates: Sequence[Total], kind: DataType) -> Column:
    pairs = [part for one in aggregates for part in (F.lit(one.name), F.col(one.name).cast(kind))]
    return F.create_map(*pairs).cast(MapType(StringType(), kind))


def _unfolded(stream: StreamPlan) -> list[Column]:
    """Totals and edges as columns again."""
    return [
        *(
            F.col(_TOTALS)[one.name]
            .cast(_DIGITS if one.name.startswith("squares") else "long")
            .alias(one.name)
            for one in totals_of(stream)
        ),
        *(F.col(_EDGES)[one.name].alias(one.name) for one in edges_of(stream)),
    ]


def _unfolded_peaks(stream: StreamPlan) -> list[Column]:
    return [
        F.col(_TOTALS)[height_column(number)].cast("long").alias(height_column(number))
        for number in stream.lasting_peaks
    ]


def _key(exchanged: DataFrame) -> Column:
    return F.col("key").cast(exchanged.schema[KEY].dataType).alias(KEY)
