"""A state as rows of the exchange: in every section of a hot key that has probes, in the one section of all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.windows.block import COUNTED, KEY, SECTION, height_column
from features.windows.hot_keys import HotKey
from features.windows.plan import StreamPlan
from features.windows.state import State
from features.windows.summaries import KIND, ROWS, Summaries, in_windows, value_columns
from features.windows.values_held import HELD


def carried_on(
    state: State, rows: DataFrame, stream: StreamPlan, hot: Sequence[HotKey]
) -> Iterator[DataFrame]:
    """What the state says of the events of a stream, but for the different values of hot keys.

    Args:
        rows: probes and events as they are exchanged.
    """
    summed, places = Summaries(rows, stream), _places(hot)
    lifetime = _lifetime(stream)
    parts = [summed.of_totals(state.totals(rows, stream), (KEY,))]
    for column in value_columns(stream):
        of_others = state.values(rows, stream, column).where(~_is_of(hot))
        parts += [summed.of_values(of_others, (KEY,), column)]
    for part in parts:
        is_seen = F.lit(bool(lifetime)) | (F.col(KIND) == COUNTED)
        yield in_windows(part.where(is_seen).withColumn(SECTION, F.explode(places)), F.lit(lifetime))
    for number, peak in stream.lasting_peaks.items():
        height = height_column(number)
        highest = state.peaks(rows, stream).where(F.col(height).isNotNull())
        placed = summed.of_peaks(highest, (KEY,), height).withColumn(SECTION, F.explode(places))
        yield in_windows(placed, F.lit(stream.bits_of_bursts(peak.span, is_lifetime=True)))


def carried_values(
    state: State, rows: DataFrame, stream: StreamPlan, column: str, hot: Sequence[HotKey]
) -> Iterator[DataFrame]:
    """The different values of hot keys in the state, in each section that has probes; nothing if no window asks."""
    lifetime = _lifetime(stream)
    if lifetime and hot:
        of_hot = state.values(rows, stream, column).where(_is_of(hot))
        placed = of_hot.withColumns({SECTION: F.explode(_places(hot)), HELD: F.lit(lifetime).cast("long")})
        yield placed.select(KEY, SECTION, column, ROWS, HELD)


def _lifetime(stream: StreamPlan) -> int:
    """The bit of the lifetime among the windows of a stream; 0 where there is none."""
    return sum(1 << bit for bit, micros in enumerate(stream.windows) if micros is None)


def _is_of(hot: Sequence[HotKey]) -> Column:
    return F.col(KEY).isin([key.key for key in hot])


def _places(hot: Sequence[HotKey]) -> Column:
    """The sections of a key that have probes."""
    only = F.array(F.lit(0))
    probed = [(F.lit(key.key), F.array(*map(F.lit, key.probed))) for key in hot if key.probed]
    if not probed:
        return only
    sections = F.create_map(*(part for pair in probed for part in pair))
    return F.coalesce(F.element_at(sections, F.col(KEY)), only)
