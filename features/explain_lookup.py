"""Evidence for a look-up: every change of the entity's key, which of them stands, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from features.declare import FeatureView, Lookup
from features.derived_source import events_of
from features.explain import COUNTS, IN_THE_FUTURE, SAME_INSTANT, TOO_LATE, TOO_OLD
from features.last_changes import deletes, place
from features.lookups import is_fresh
from features.source import Source
from features.view import AS_OF

SUPERSEDED, DELETES = "superseded", "deletes"


def lookup_evidence(
    view: FeatureView, lookup: Lookup, name: str, spine: DataFrame, sources: Mapping[str, Source]
) -> DataFrame:
    """What one column of a look-up was taken from.

    Args:
        name: a feature, a context column or the age of the look-up.
        spine: the rows to explain: row id, ``as_of``, the entity's key. Meant for few rows.
        sources: events by log name.

    Returns:
        One row per spine row and change of its key, in the columns of ``features.explain.evidence``. The one change
        that ``counts`` is the last known before ``as_of``; others are ``in the future``, of the ``same instant``,
        ``too late`` (known_at >= as_of) or ``superseded``. A last change that ``deletes`` or is ``too old`` gives no
        value, but its age.
    """
    source = events_of(lookup.source, sources)
    keys = [f"key_{number}" for number in range(len(lookup.keys))]
    asking = spine.select(
        F.col(view.spine.row).cast("string").alias("row_id"),
        F.unix_micros(AS_OF).alias("probe"),
        *(F.col(own).alias(key) for own, key in zip(lookup.entity.keys, keys, strict=True)),
    )
    said = {one.name: one.sql for one in lookup.picked}
    value = F.expr(said[name]) if name in said else F.col("event_at")
    changes = source.rows.select(
        *(F.col(theirs).alias(key) for theirs, key in zip(lookup.keys, keys, strict=True)),
        source.row_id.alias("source_row"),
        "event_at",
        "known_at",
        F.struct(*place(lookup, source)).alias("place"),
        deletes(lookup).alias("deletes"),
        value.cast("string").alias("value"),
    )
    judged = changes.join(F.broadcast(asking), on=keys, how="inner").withColumn(
        "verdict", _verdict(lookup, gives_age=name == lookup.age)
    )
    return judged.select(
        "row_id",
        "source_row",
        "event_at",
        "known_at",
        "value",
        "verdict",
        F.lit(None).cast("decimal(38,0)").alias("contribution"),
    )


def _verdict(lookup: Lookup, *, gives_age: bool) -> Column:
    at, probe = F.unix_micros("event_at"), F.col("probe")
    seen = (at < probe) & (F.unix_micros("known_at") < probe)
    last = F.max(F.when(seen, F.col("place"))).over(Window.partitionBy("row_id"))
    verdict = (
        F.when(at > probe, IN_THE_FUTURE)
        .when(at == probe, SAME_INSTANT)
        .when(~seen, TOO_LATE)
        .when(F.col("place") < last, SUPERSEDED)
    )
    if gives_age:
        return verdict.otherwise(COUNTS)
    stale = ~is_fresh(lookup, probe - at)
    return verdict.when(F.col("deletes"), DELETES).when(stale, TOO_OLD).otherwise(COUNTS)
