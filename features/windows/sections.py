"""Hot keys cut by time: each section gets its own rows, what it looks back on, and summaries of what it need not see.

An event whose window reaches over a whole section counts for all of its probes alike, so it comes summed up with all
others like it; one whose window ends within the section comes by itself. So a section holds its own rows and, for each
window, about as many that leave it: bounded, however long the key's history, and exact.

A state is the same for all keys at once: the section before it has no probes, and lifetime windows see it summed up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StructField, StructType

from features.windows.block import (
    COUNTED,
    EVERY_WINDOW,
    KEY,
    KIND_BITS,
    SECTION,
    SERVES,
    STREAM,
    TIME,
    WHOLE,
)
from features.windows.hot_keys import Brought, HotKey, begins, brought, with_section
from features.windows.plan import StreamPlan
from features.windows.state import State
from features.windows.summaries import KIND, Summaries, totals, value_columns, values

_FROM, _AFTER, _BY_ITSELF, _AS_SUMMARY = "_from", "_after", "_by_itself", "_as_summary"


def in_sections(
    rows: DataFrame, streams: Sequence[StreamPlan], hot: Sequence[HotKey], state: State | None = None
) -> DataFrame:
    """Every row in its section, and what sections need of those before.

    Args:
        rows: probes and events as they are exchanged; after the instant of ``state``, and what windows still hold then.

    Returns:
        The rows with ``section`` and ``serves``; with replicas and summaries of events of hot keys, and of the state.
    """
    cuts = {key.key: key.cuts for key in hot}
    at = begins(streams)
    own = with_section(rows, at, cuts).withColumn(SERVES, _served(streams, at, state))
    if state is not None:
        is_past_of_hot = F.col(KEY).isin(list(cuts)) & (at <= state.until)
        own = own.where((F.col(SERVES) != 0) & ~is_past_of_hot)
        own = own.unionByName(_carried(rows, streams, hot, state), allowMissingColumns=True)
    held = with_section(rows.where(F.col(KEY).isin(list(cuts))), at, cuts, _FROM)
    for stream in streams:
        until = state.until if state is not None and stream.is_summed_up else None
        needs = [need for key in hot for need in brought(key, stream, until)]
        if needs:
            events = held.where(F.col(STREAM) == stream.stream)
            places = _places(rows, needs)
            own = own.unionByName(_replicas(events, places, stream))
            for part in _summaries(events, places, stream):
                own = own.unionByName(part)
    return own


def _served(streams: Sequence[StreamPlan], at: Column, state: State | None) -> Column:
    """The windows that a row serves in its own section: of the past those that reach beyond it."""
    served = F.lit(EVERY_WINDOW)
    if state is None:
        return served
    for stream in streams:
        if stream.is_summed_up:
            reaches = [(1 << bit, micros) for bit, micros in enumerate(stream.windows) if micros is not None]
            reaches.append((WHOLE, stream.whole_reach or 0))
            parts = [_bit(bit, F.col(TIME) + micros > state.until) for bit, micros in reaches]
            is_past = (F.col(STREAM) == stream.stream) & (at <= state.until)
            served = F.when(is_past, _either(parts)).otherwise(served)
    return served


def _carried(
    rows: DataFrame, streams: Sequence[StreamPlan], hot: Sequence[HotKey], state: State
) -> DataFrame:
    """The state, in every section that has probes."""
    summed_up = [stream for stream in streams if stream.is_summed_up]
    lifetimes = {
        stream.stream: sum(1 << bit for bit, micros in enumerate(stream.windows) if micros is None)
        for stream in summed_up
    }
    parts = list(state.summaries(rows, summed_up))
    found = parts[0]
    for part in parts[1:]:
        found = found.unionByName(part)
    windows = F.element_at(_map(lifetimes), F.col(STREAM)).cast("long")
    serves = F.shiftleft(F.col(KIND).cast("long"), KIND_BITS).bitwiseOR(windows)
    sections = {key.key: F.array(*(F.lit(section) for section in key.probed)) for key in hot if key.probed}
    places = F.array(F.lit(0))
    if sections:
        places = F.coalesce(F.element_at(_map(sections), F.col(KEY)), places)
    is_seen = (windows != 0) | (F.col(KIND) == COUNTED)
    return found.where(is_seen).withColumns({SERVES: serves, SECTION: F.explode(places)}).drop(KIND)


def _map(pairs: dict[int, int] | dict[str | int, Column]) -> Column:
    parts: list[Column] = []
    for key, value in pairs.items():
        parts += [F.lit(key), value if isinstance(value, Column) else F.lit(value)]
    return F.create_map(*parts)


def _places(rows: DataFrame, needs: Sequence[Brought]) -> DataFrame:
    schema = StructType(
        [
            StructField(KEY, rows.schema[KEY].dataType),
            StructField(_FROM, IntegerType()),
            StructField(SECTION, IntegerType()),
            *(StructField(name, LongType()) for name in (_AFTER, _BY_ITSELF, _AS_SUMMARY)),
        ]
    )
    rows_of_needs = [(n.key, n.section, n.to, n.after, n.by_itself, n.as_summary) for n in needs]
    return F.broadcast(rows.sparkSession.createDataFrame(rows_of_needs, schema))


def _replicas(events: DataFrame, places: DataFrame, stream: StreamPlan) -> DataFrame:
    """Events that later sections see by themselves, in the windows in which they still do."""
    serves = F.col(_BY_ITSELF)
    if not stream.is_revised:
        reaches = [(1 << bit, micros) for bit, micros in enumerate(stream.windows)]
        reaches.append((WHOLE, stream.whole_reach))
        serves = _either([_bit(bit, _is_brought(bit, micros)) for bit, micros in reaches])
    joined = events.join(places.where(F.col(_BY_ITSELF) != 0), on=[KEY, _FROM], how="inner")
    return (
        joined.withColumn(SERVES, serves)
        .where(F.col(SERVES) != 0)
        .drop(_FROM, _AFTER, _BY_ITSELF, _AS_SUMMARY)
    )


def _is_brought(bit: int, micros: int | None) -> Column:
    wanted = F.col(_BY_ITSELF).bitwiseAND(F.lit(bit).cast("long")) != 0
    return wanted if micros is None else wanted & (F.col(TIME) + micros > F.col(_AFTER))


def _bit(bit: int, condition: Column) -> Column:
    return F.when(condition, F.lit(bit).cast("long")).otherwise(F.lit(0).cast("long"))


def _either(parts: Sequence[Column]) -> Column:
    found = parts[0]
    for part in parts[1:]:
        found = found.bitwiseOR(part)
    return found


def _summaries(events: DataFrame, places: DataFrame, stream: StreamPlan) -> Iterator[DataFrame]:
    """What later sections need of the events of each section as a sum, a number, or the first and last of them."""
    by = (KEY, _FROM)
    summed = Summaries(events.drop(_FROM), stream)
    yield _placed(summed.of_totals(totals(events, by, stream), by), places, summed.columns)
    for column in value_columns(stream):
        yield _placed(summed.of_values(values(events, by, column), by, column), places, summed.columns)


def _placed(rows: DataFrame, places: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Summaries in the sections they are for; the number of rows in every later one, for it tells of a history."""
    joined = rows.join(places, on=[KEY, _FROM], how="inner")
    is_needed = (F.col(_AS_SUMMARY) != 0) | (F.col(KIND) == COUNTED)
    serves = F.shiftleft(F.col(KIND).cast("long"), KIND_BITS).bitwiseOR(F.col(_AS_SUMMARY))
    return joined.where(is_needed).withColumn(SERVES, serves).select(*columns, SECTION, SERVES)
