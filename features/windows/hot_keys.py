"""Keys with so many rows that one task should not have them all, and the sections of time they are cut into.

A section holds the probes of a key in (the cut before, its own cut]. An event lies in the section in which it begins
to count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StructField, StructType

from features.windows.block import KEY, KNOWN, PROBE, SECTION, STREAM, TIME
from features.windows.intervals import FOREVER
from features.windows.plan import StreamPlan
from features.windows.settled import settled

# A key with as many rows as a task is to have is seen in the sample this many times, so none is missed.
_SEEN = 400
# A section brings rows of earlier ones with it, and more than one may fall to a task that has its usual share already.
_SECTIONS_PER_TASK = 8
_MOST_KEYS, _MOST_SECTIONS = 100, 64
_SEED = 7

_LONG_AGO = -FOREVER
_CUT, _AFTER, _UNTIL = "_cut", "_after", "_until"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one section has of one stream: when its first and its last event happened (microseconds), and how many."""

    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HotKey:
    """A key and how it is cut.

    Attributes:
        cuts: the last instant of each section but the last, in microseconds.
        chunks: by stream, by section.
    """

    key: str | int
    cuts: tuple[int, ...]
    chunks: Mapping[int, Mapping[int, Chunk]]

    @property
    def rows(self) -> int:
        """Probes and events of the key."""
        return sum(chunk.rows for sections in self.chunks.values() for chunk in sections.values())

    @property
    def probed(self) -> Mapping[int, Chunk]:
        """The sections that have probes."""
        return self.chunks.get(PROBE, {})


@dataclass(frozen=True, slots=True)
class Brought:
    """That a section needs the events of an earlier one: in which windows each by itself, in which as a summary."""

    key: str | int
    section: int
    to: int
    after: int
    by_itself: int
    as_summary: int


def find_hot_keys(
    rows: DataFrame, streams: Sequence[StreamPlan], rows_per_task: int, until: int | None = None
) -> list[HotKey]:
    """The keys that have more than ``rows_per_task`` rows, those with most rows first. Reads the rows twice.

    Args:
        rows: probes and events as they are exchanged.
        until: the instant of a state, which no section reaches across, in microseconds.
    """
    share = min(1.0, _SEEN / rows_per_task)
    rows_per_section = max(rows_per_task // _SECTIONS_PER_TASK, 1)
    quantiles = [number / _MOST_SECTIONS for number in range(1, _MOST_SECTIONS)]
    census = (
        rows.where(F.col(KEY).isNotNull())
        .select(KEY, begins().alias("at"))
        .sample(share, seed=_SEED)
        .groupBy(KEY)
        .agg(F.count("*").alias("seen"), F.percentile_approx("at", quantiles, 1000).alias("quantiles"))
        .where(F.col("seen") > rows_per_task * share)
        .orderBy(F.col("seen").desc(), KEY)
        .limit(_MOST_KEYS)
        .collect()
    )
    cuts = {
        row[KEY]: _cuts(row["quantiles"], -(-int(row["seen"] / share) // rows_per_section), until)
        for row in census
    }
    return _counted(settled(rows, streams, cuts), cuts) if cuts else []


def begins() -> Column:
    """Where a row stands among the sections: when it begins to count."""
    return F.greatest(TIME, KNOWN)


def with_section(
    rows: DataFrame, at: Column, cuts: Mapping[str | int, tuple[int, ...]], name: str = SECTION
) -> DataFrame:
    """The rows with the number of their section as ``name``: 0 for a key that is not cut.

    Args:
        at: the instant whose section is meant.
        cuts: the last instant of each section but the last, by key.
    """
    if not cuts:
        return rows.withColumn(name, F.lit(0))
    held = [
        (key, after, until, section)
        for key, of_key in cuts.items()
        for section, (after, until) in enumerate(pairwise((_LONG_AGO, *of_key, FOREVER)))
    ]
    schema = StructType(
        [
            StructField(_CUT, rows.schema[KEY].dataType),
            *(StructField(column, LongType()) for column in (_AFTER, _UNTIL)),
            StructField(name, IntegerType()),
        ]
    )
    # A search in an array would do, but Spark compiles no plan that has one.
    sections = F.broadcast(rows.sparkSession.createDataFrame(held, schema))
    is_within = (F.col(KEY) == F.col(_CUT)) & (at > F.col(_AFTER)) & (at <= F.col(_UNTIL))
    joined = rows.join(sections, is_within, "left").drop(_CUT, _AFTER, _UNTIL)
    return joined.withColumn(name, F.coalesce(name, F.lit(0)))


def brought(key: HotKey, stream: StreamPlan, until: int | None = None) -> Iterator[Brought]:
    """What the sections of a key that have probes need of the ones before them.

    Args:
        until: a state stands for what began to count by then, in microseconds.
    """
    for section, chunk in sorted(key.chunks.get(stream.stream, {}).items()):
        is_in_state = until is not None and section < len(key.cuts) and key.cuts[section] <= until
        for to, probes in sorted(key.probed.items()):
            if to <= section:
                continue
            place = Brought(key.key, section, to, probes.first - 1, 0, 0)
            yield _brought(place, probes.last, chunk, stream, is_in_state=is_in_state)


def _brought(place: Brought, last: int, chunk: Chunk, stream: StreamPlan, *, is_in_state: bool) -> Brought:
    by_itself = as_summary = 0
    for bit, reach in enumerate(stream.reaches):
        if reach.most is None and is_in_state:
            continue
        # All that a window of the section's last probe still holds, it holds for every probe of the section.
        if reach.least is None or chunk.first + reach.least >= last:
            as_summary |= 1 << bit
        elif reach.most is None or chunk.last + reach.most > place.after:
            by_itself |= 1 << bit
    return Brought(place.key, place.section, place.to, place.after, by_itself, as_summary)


def _cuts(quantiles: Sequence[int], sections: int, until: int | None) -> tuple[int, ...]:
    """The cuts of about that many sections, at quantiles of the key's rows and at the instant of the state."""
    wanted = min(sections, _MOST_SECTIONS)
    places = [round(number * _MOST_SECTIONS / wanted) - 1 for number in range(1, wanted)]
    at_state = [] if until is None else [until]
    return tuple(sorted({*at_state, *(int(quantiles[place]) for place in places)}))


def _counted(rows: DataFrame, cuts: Mapping[str | int, tuple[int, ...]]) -> list[HotKey]:
    """The keys with what each section has of each stream, exactly."""
    counts = (
        with_section(rows.where(F.col(KEY).isin(list(cuts))), begins(), cuts)
        .groupBy(KEY, STREAM, SECTION)
        .agg(F.min(TIME).alias("first"), F.max(TIME).alias("last"), F.count("*").alias("rows"))
        .collect()
    )
    found = []
    for key, of_key in cuts.items():
        chunks: dict[int, dict[int, Chunk]] = {}
        for row in counts:
            if row[KEY] == key:
                chunk = Chunk(row["first"], row["last"], row["rows"])
                chunks.setdefault(row[STREAM], {})[row[SECTION]] = chunk
        found.append(HotKey(key=key, cuts=of_key, chunks=chunks))
    return found
