"""Hot keys cut by time: each section gets its own rows, what it looks back on, and summaries of what it need not see.

An event whose window reaches over a whole section counts for all of its probes alike, so it comes summed up with all
others like it; one whose window ends within the section comes by itself. So a section holds its own rows and, for each
window, about as many that leave it: bounded, however long the key's history, and exact.

A row that is taken back or corrected leaves its sums where that happens: later sections do not hear of it, and in the
section of that instant it comes by itself. What a burst saw before is remembered whatever became of it, as the greatest
height of its rows.

A state is the same for all keys at once: the section before it has no probes, and lifetime windows see it summed up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StructField, StructType

from features.windows.block import COUNTED, EVERY_WINDOW, KEY, SECTION, SERVES, STREAM, TIME, height_column
from features.windows.carried import carried_on, carried_values
from features.windows.hot_keys import Brought, HotKey, begins, brought, with_section
from features.windows.intervals import FOREVER
from features.windows.peaks import with_heights
from features.windows.plan import StreamPlan
from features.windows.settled import settled, until
from features.windows.state import State, longest_held
from features.windows.summaries import (
    KIND,
    ROWS,
    Summaries,
    in_windows,
    totals,
    value_columns,
    values,
    weighed,
    weighed_together,
)
from features.windows.values_held import HELD, values_held, windows_of

_FROM, _GONE = "_from", "_gone"
_OF_PLACES = _AFTER, _BY_ITSELF, _AS_SUMMARY = "_after", "_by_itself", "_as_summary"
_NEVER = 1 << 30


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
    rows = with_heights(settled(rows, streams, cuts), streams, cuts)
    own = with_section(rows, begins(), cuts).withColumn(SERVES, _served(streams, state))
    if state is not None:
        is_past_of_hot = F.col(KEY).isin(list(cuts)) & (begins() <= state.until)
        own = own.where(((F.col(SERVES) != 0) | _is_held(streams, state)) & ~is_past_of_hot)
    held = _held(rows, streams, cuts)
    for stream in streams:
        carried = state if state is not None and state.stands_for(stream) else None
        parts = [] if carried is None else list(carried_on(carried, rows, stream, hot))
        parts += _looked_back_on(held.where(F.col(STREAM) == stream.stream), stream, hot, carried)
        for part in parts:
            own = own.unionByName(part)
    return own


def _held(
    rows: DataFrame, streams: Sequence[StreamPlan], cuts: Mapping[str | int, tuple[int, ...]]
) -> DataFrame:
    """The rows of hot keys, with the section in which each begins to count and that in which it goes."""
    begun = with_section(rows.where(F.col(KEY).isin(list(cuts))), begins(), cuts, _FROM)
    if not any(stream.is_revised for stream in streams):
        return begun.withColumn(_GONE, F.lit(_NEVER))
    ends = until(streams)
    gone = with_section(begun, ends, cuts, _GONE)
    return gone.withColumn(_GONE, F.when(ends < FOREVER, F.col(_GONE)).otherwise(_NEVER))


def _looked_back_on(
    events: DataFrame, stream: StreamPlan, hot: Sequence[HotKey], state: State | None
) -> Iterator[DataFrame]:
    """What sections need of the stream's events of sections before, and of the different values in the state."""
    needs = [need for key in hot for need in brought(key, stream, _state_of(key, stream, state))]
    replicas, places = None, None
    if needs:
        places = _places(events, needs)
        replicas = _replicas(events, places, stream)
        yield replicas
        yield _sums(events, places, stream)
        yield from _weighed_sums(events, places, stream)
        yield from _peaks(events, places, stream)
    for column in value_columns(stream):
        found = [] if state is None else list(carried_values(state, events, stream, column, hot))
        met = events.select(KEY, F.col(_FROM).alias(SECTION), column)
        if replicas is not None and places is not None:
            found.append(_values(events, places, column))
            met = met.unionByName(replicas.select(KEY, SECTION, column))
        if found:
            before = reduce(DataFrame.unionByName, found)
            told = values_held(before, met, column, windows_of(stream, column))
            rows = Summaries(_exchanged(events), stream).of_values_held(told, (KEY, SECTION, HELD), column)
            yield in_windows(rows, F.col(HELD)).drop(HELD)


def _state_of(key: HotKey, stream: StreamPlan, state: State | None) -> int | None:
    """The instant of the state, if it stands for this key."""
    return None if state is None or key.key in state.reread_keys(stream) else state.until


def _served(streams: Sequence[StreamPlan], state: State | None) -> Column:
    """The windows that a row serves in its own section: of the past those that reach beyond it."""
    served = F.lit(EVERY_WINDOW)
    if state is None:
        return served
    for stream in streams:
        if state.stands_for(stream):
            parts = [F.lit(0).cast("long")]
            parts += [
                _bit(1 << bit, F.col(TIME) + reach.most > state.until)
                for bit, reach in enumerate(stream.reaches)
                if reach.most is not None
            ]
            is_past = (F.col(STREAM) == stream.stream) & (begins() <= state.until)
            is_past &= ~state.is_reread(stream, F.col(KEY))
            served = F.when(is_past, _either(parts)).otherwise(served)
    return served


def _is_held(streams: Sequence[StreamPlan], state: State) -> Column:
    """Whether a row that no window sees raises what a burst over a lifetime finds of later ones."""
    held = F.lit(False)
    for stream in streams:
        if stream.lasting_peaks and state.stands_for(stream):
            held |= (F.col(STREAM) == stream.stream) & (F.col(TIME) + longest_held(stream) > state.until)
    return held


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
    serves = _either(
        [_bit(1 << bit, _is_brought(1 << bit, reach.most)) for bit, reach in enumerate(stream.reaches)]
    )
    by_itself, bursts = F.col(_BY_ITSELF), F.lit(stream.bits_of_bursts()).cast("long")
    goes_here = F.col(_GONE) == F.col(SECTION)
    # What is gone was there once: a burst of then is remembered.
    is_gone = F.col(_GONE) < F.col(SECTION)
    wanted = (
        F.when(goes_here, by_itself.bitwiseOR(F.col(_AS_SUMMARY).bitwiseAND(F.bitwise_not(bursts))))
        .when(is_gone, by_itself.bitwiseAND(bursts))
        .otherwise(by_itself)
    )
    return (
        events.join(places, on=[KEY, _FROM], how="inner")
        .withColumn(_BY_ITSELF, wanted)
        .withColumn(SERVES, serves)
        .where(F.col(SERVES) != 0)
        .drop(_FROM, _GONE, *_OF_PLACES)
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


def _sums(events: DataFrame, places: DataFrame, stream: StreamPlan) -> DataFrame:
    """What later sections need of the events of each section as a sum, a number, or the first and last of them.

    The number of rows goes to every later section, for it tells of a history.
    """
    by = (KEY, _FROM, _GONE)
    rows = Summaries(_exchanged(events), stream).of_totals(totals(events, by, stream), by)
    joined = rows.join(places, on=[KEY, _FROM], how="inner")
    windows = _windows_of_sums()
    is_needed = (windows != 0) | (F.col(KIND) == COUNTED)
    return in_windows(joined.where(is_needed), windows).drop(_FROM, _GONE, *_OF_PLACES)


def _weighed_sums(events: DataFrame, places: DataFrame, stream: StreamPlan) -> Iterator[DataFrame]:
    """What later sections need of all events before for decays: a sum for each segment of time."""
    for half_life in dict.fromkeys(decay.half_life for decay in stream.decays):
        bits = F.lit(stream.bits_of_decays(half_life)).cast("long")
        windows = _windows_of_sums().bitwiseAND(bits)
        by_section = weighed(events, (KEY, _FROM, _GONE), stream, half_life)
        placed = by_section.join(places, on=[KEY, _FROM], how="inner").withColumn(HELD, windows)
        sums = weighed_together(placed.where(F.col(HELD) != 0), (KEY, SECTION, HELD), stream, half_life)
        rows = Summaries(_exchanged(events), stream).of_weighed(sums, (KEY, SECTION, HELD), half_life)
        yield in_windows(rows, F.col(HELD)).drop(HELD)


def _peaks(events: DataFrame, places: DataFrame, stream: StreamPlan) -> Iterator[DataFrame]:
    """What later sections need of all events before for bursts: the greatest height, whatever became of the row."""
    for number, peak in enumerate(stream.peaks):
        height = height_column(number)
        bits = F.lit(stream.bits_of_bursts(peak.span)).cast("long")
        highest = events.groupBy(KEY, _FROM).agg(F.max(height).alias(height)).where(F.col(height).isNotNull())
        windows = F.col(_AS_SUMMARY).bitwiseAND(bits)
        placed = highest.join(places, on=[KEY, _FROM], how="inner").withColumn(HELD, windows)
        found = placed.where(F.col(HELD) != 0).groupBy(KEY, SECTION, HELD).agg(F.max(height).alias(height))
        rows = Summaries(_exchanged(events), stream).of_peaks(found, (KEY, SECTION, HELD), height)
        yield in_windows(rows, F.col(HELD)).drop(HELD)


def _values(events: DataFrame, places: DataFrame, column: str) -> DataFrame:
    """The values of each section in the later ones whose windows hold them throughout."""
    found = values(events, (KEY, _FROM, _GONE), column).join(places, on=[KEY, _FROM], how="inner")
    windows = _windows_of_sums()
    return found.where(windows != 0).select(KEY, SECTION, column, ROWS, windows.alias(HELD))


def _windows_of_sums() -> Column:
    """The windows that hold rows of one section throughout another: as long as they are not gone by then."""
    return F.when(F.col(_GONE) > F.col(SECTION), F.col(_AS_SUMMARY)).otherwise(F.lit(0).cast("long"))


def _exchanged(events: DataFrame) -> DataFrame:
    return events.drop(_FROM, _GONE)
