"""Bursts: the height that each row stands at, found by Spark, so that a section or a state can do without the others.

It is what ``burst.heights`` finds in a task that has all rows of a key. A row raises its key by one when it begins to
count and lowers it when its span ends; a height is the sum of all these steps until then: of the sections before, and
within its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from features.windows.block import KEY, STREAM, TIME, height_column, number_column
from features.windows.hot_keys import begins, with_section
from features.windows.plan import Peak, StreamPlan
from features.windows.settled import counts, until

_AT, _STEP, _ROW, _SECTION = "_at", "_step", "_row", "_at_section"


def with_heights(
    rows: DataFrame, streams: Sequence[StreamPlan], cuts: Mapping[str | int, tuple[int, ...]]
) -> DataFrame:
    """The rows, those of hot keys with their heights; null for what no burst counts, and for all other keys.

    Args:
        rows: probes and events as they are exchanged, revised ones settled.
        cuts: the last instant of each section but the last, by hot key.

    Returns:
        With a column per burst, if there is any. If a key is hot another exchange, of its rows alone.
    """
    most = max((len(stream.peaks) for stream in streams), default=0)
    if not most:
        return rows
    bursting = [stream for stream in streams if stream.peaks]
    is_theirs = F.coalesce(F.col(KEY).isin(list(cuts)), F.lit(False))
    is_theirs &= F.col(STREAM).isin([stream.stream for stream in bursting])
    nothing = {height_column(number): F.lit(None).cast("long") for number in range(most)}
    if not cuts:
        return rows.withColumns(nothing)
    parts = [rows.where(~is_theirs).withColumns(nothing)]
    for stream in bursting:
        found = _of_stream(rows.where(is_theirs & (F.col(STREAM) == stream.stream)), stream, cuts)
        absent = {name: column for name, column in nothing.items() if name not in found.columns}
        parts.append(found.withColumns(absent) if absent else found)
    return reduce(DataFrame.unionByName, parts)


def greatest_heights(rows: DataFrame, stream: StreamPlan, after: Column, last: int) -> DataFrame:
    """The greatest heights of each key's rows that began to count in (after, last], whatever became of them since.

    Args:
        rows: events of the stream as they are exchanged, revised ones settled: all that are held after ``after``.
        after: microseconds, for each key.

    Returns:
        A row for each key that had a height: ``key`` and a column for each lasting peak. An exchange of the rows.
    """
    names = [height_column(number) for number in stream.lasting_peaks]
    so_far = Window.partitionBy(KEY).orderBy(_AT)
    steps = _steps(rows, stream)
    heights = (
        F.when(F.col(_STEP)[name] > 0, F.sum(F.col(_STEP)[name]).over(so_far)).alias(name) for name in names
    )
    raised = steps.select(KEY, _AT, *heights).where((F.col(_AT) > after) & (F.col(_AT) <= last))
    highest = raised.groupBy(KEY).agg(*(F.max(name).alias(name) for name in names))
    return highest.where(F.coalesce(*(F.col(name) for name in names)).isNotNull())


def _of_stream(rows: DataFrame, stream: StreamPlan, cuts: Mapping[str | int, tuple[int, ...]]) -> DataFrame:
    names = [height_column(number) for number in range(len(stream.peaks))]
    steps = with_section(_steps(rows, stream), F.col(_AT), cuts, _SECTION)
    by_section = steps.groupBy(KEY, _SECTION).agg(*(F.sum(F.col(_STEP)[name]).alias(name) for name in names))
    earlier = Window.partitionBy(KEY).orderBy(_SECTION).rowsBetween(Window.unboundedPreceding, -1)
    before = by_section.select(
        KEY,
        _SECTION,
        *(F.coalesce(F.sum(name).over(earlier), F.lit(0)).alias(f"_before_{name}") for name in names),
    )
    # With all steps of the same instant, as a window ordered by it has.
    within = Window.partitionBy(KEY, _SECTION).orderBy(_AT)
    raised = steps.join(F.broadcast(before), on=[KEY, _SECTION])
    heights = (
        F.when(
            F.col(_STEP)[name] > 0, F.col(f"_before_{name}") + F.sum(F.col(_STEP)[name]).over(within)
        ).alias(name)
        for name in names
    )
    return raised.select(_ROW, *heights).where(F.col(_ROW).isNotNull()).select(f"{_ROW}.*", *names)


def _steps(rows: DataFrame, stream: StreamPlan) -> DataFrame:
    """Up and down: one step for each row, and one for each span in which it is held."""
    row = F.struct(*rows.columns)
    ends = [F.least(F.col(TIME) + peak.span, until([stream])) for peak in stream.peaks]
    held = [
        _is_measured(stream, peak) & (begins() < end) for peak, end in zip(stream.peaks, ends, strict=True)
    ]
    up = F.struct(begins().alias(_AT), _step([F.when(one, 1).otherwise(0) for one in held]), row.alias(_ROW))
    nothing = F.when(F.lit(False), row)
    down = [
        F.when(
            is_held,
            F.struct(
                end.alias(_AT),
                _step([F.lit(-1 if other == number else 0) for other in range(len(held))]),
                nothing.alias(_ROW),
            ),
        )
        for number, (end, is_held) in enumerate(zip(ends, held, strict=True))
    ]
    stepped = rows.select(KEY, F.explode(F.array_compact(F.array(up, *down))).alias("_one"))
    return stepped.select(KEY, "_one.*")


def _step(steps: Sequence[Column]) -> Column:
    return F.struct(
        *(step.cast("long").alias(height_column(number)) for number, step in enumerate(steps))
    ).alias(_STEP)


def _is_measured(stream: StreamPlan, peak: Peak) -> Column:
    """Whether a burst counts a row."""
    return (
        counts(stream) if peak.slot is None else counts(stream) & F.col(number_column(peak.slot)).isNotNull()
    )
