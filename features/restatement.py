"""What past rows would have said, had late events come in time. Rows that were built never change; this tells how far
they are from what is known now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.declare import FeatureView
from features.source import TOLD_AT, Source
from features.view import AS_OF

_INSTANT = timedelta(microseconds=1)


def restated_span(
    sources: Mapping[str, Source], begin: datetime, end: datetime
) -> tuple[datetime, datetime] | None:
    """The half-open range of rows that should have seen an event which became known in [begin, end), but came too late.

    None where no such event did. Every source has ``told_at``, when its contract says an event was known.
    """
    late = reduce(
        DataFrame.unionByName, (source.rows.select(TOLD_AT, "known_at") for source in sources.values())
    ).where((F.col("known_at") >= F.lit(begin)) & (F.col("known_at") < F.lit(end)))
    found = (
        late.where(F.col(TOLD_AT) < F.col("known_at"))
        .agg(F.min(TOLD_AT).alias("first"), F.max("known_at").alias("last"))
        .head()
    )
    if found is None or found["first"] is None:
        return None
    # A row at the instant at which an event becomes known does not see it yet.
    return found["first"].replace(tzinfo=UTC), found["last"].replace(tzinfo=UTC) + _INSTANT


def in_time(sources: Mapping[str, Source]) -> dict[str, Source]:
    """The sources, with every event known when it was told."""
    return {
        log: Source(source.rows.withColumn("known_at", F.col(TOLD_AT)), source.key)
        for log, source in sources.items()
    }


def restated_cells(view: FeatureView, built: DataFrame, again: DataFrame) -> DataFrame:
    """The cells in which two builds of the same rows differ.

    Returns:
        One row per cell: ``row_id``, ``as_of``, ``feature``, and the values as texts, ``as_known`` of the first build
        and ``restated`` of the second. Empty where all is the same. A row of one build alone is left out.
    """
    row = view.spine.row
    old, new = built.alias("old"), again.alias("new")
    both = old.join(new, on=F.col(f"old.{row}") == F.col(f"new.{row}"))
    cells = F.array_compact(F.array(*_cells(view.features)))
    found = both.select(
        F.col(f"old.{row}").alias("row_id"),
        F.col(f"old.{AS_OF}").alias(AS_OF),
        F.explode(cells).alias("cell"),
    )
    return found.select("row_id", AS_OF, "cell.*")


def _cells(features: Sequence[str]) -> list[Column]:
    found = []
    for name in features:
        as_known, restated = F.col(f"old.{name}"), F.col(f"new.{name}")
        texts = (
            F.lit(name).alias("feature"),
            as_known.cast("string").alias("as_known"),
            restated.cast("string").alias("restated"),
        )
        found.append(F.when(~as_known.eqNullSafe(restated), F.struct(*texts)))
    return found
