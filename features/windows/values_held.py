"""Different values of a hot key's past, for sections that count them: by name only what a section could count twice.

A value that windows hold for all probes of a section matters by its name only if the section meets it in a row of its
own as well. All others come as numbers: so many values, of so many rows each. So a section holds no more values than
rows, however many there were before.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.windows.block import KEY, SECTION
from features.windows.plan import StreamPlan
from features.windows.summaries import ROWS, VALUES, value_column

HELD = "held"
_MET, _WINDOW = "_met", "_window"


def windows_of(stream: StreamPlan, column: str) -> list[int]:
    """The bits of the windows in which a measure counts the column's different values."""
    asked = {
        output.micros
        for measure in stream.measures
        if value_column(measure) == column
        for output in measure.outputs
    }
    return [1 << bit for bit, micros in enumerate(stream.windows) if micros in asked]


def values_held(found: DataFrame, met: DataFrame, column: str, windows: Sequence[int]) -> DataFrame:
    """What sections are told of the values of a column.

    Args:
        found: values that were there before: ``key``, ``section``, the column, ``rows``, and ``held``, the bits of the
            windows that hold these rows for all of the section's probes.
        met: the section's own rows and those that come to it by themselves: ``key``, ``section``, the column.
        windows: the bits that are asked for.

    Returns:
        Per window (its bit in ``held``) ``values`` different ones of ``rows`` each; with a name it is one, that the
        section meets.
    """
    names = [f"_rows_{bit}" for bit in range(len(windows))]
    nothing = F.lit(None).cast("long")
    counts = [
        F.when(_is_in(F.col(HELD), window), F.col(ROWS)).alias(name)
        for name, window in zip(names, windows, strict=True)
    ]
    before = found.select(KEY, SECTION, column, F.lit(False).alias(_MET), *counts)
    here = met.where(F.col(column).isNotNull()).select(
        KEY, SECTION, column, F.lit(True).alias(_MET), *(nothing.alias(name) for name in names)
    )
    counted = (
        before.unionByName(here)
        .groupBy(KEY, SECTION, column)
        .agg(F.max(_MET).alias(_MET), *(F.sum(name).alias(name) for name in names))
    )
    per_window = [
        F.struct(F.lit(window).cast("long").alias(HELD), F.col(name).alias(ROWS))
        for name, window in zip(names, windows, strict=True)
    ]
    name = F.when(F.col(_MET), F.col(column)).alias(column)
    return (
        counted.select(KEY, SECTION, name, F.explode(F.array(*per_window)).alias(_WINDOW))
        .select(KEY, SECTION, column, f"{_WINDOW}.*")
        .where(F.col(ROWS).isNotNull())
        .groupBy(KEY, SECTION, column, HELD, ROWS)
        .agg(F.count("*").alias(VALUES))
    )


def _is_in(bits: Column, window: int) -> Column:
    return bits.bitwiseAND(F.lit(window).cast("long")) != 0
