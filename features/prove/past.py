"""Sources as a row's past: what was known before its instant, and what was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.prove.relation import Relation
from features.prove.sample import Sampled
from features.source import Source
from features.view import AS_OF

_AS_OF = "_as_of"


def past(sources: Mapping[str, Source], until: datetime) -> dict[str, Source]:
    """The rows known before an instant."""
    return {name: Source(one.rows.where(_is_known(until)), one.key) for name, one in sources.items()}


def hidden(sources: Mapping[str, Source], until: datetime) -> dict[str, DataFrame]:
    """The rows known at an instant or later, or never."""
    return {name: one.rows.where(~_is_known(until)) for name, one in sources.items()}


def related(
    rows: Mapping[str, DataFrame], sampled: Sampled, relations: Sequence[Relation]
) -> dict[str, DataFrame]:
    """Of each source the rows that belong to one described row; sources that are not related have none."""
    found: dict[str, list[Column]] = {}
    for relation in relations:
        values = sampled.values(relation)
        if values is not None:
            parts = [
                F.col(name) == F.lit(value) for name, value in zip(relation.columns, values, strict=True)
            ]
            found.setdefault(relation.source, []).append(reduce(and_, parts))
    return {name: rows[name].where(reduce(or_, conditions)) for name, conditions in found.items()}


def own_past(
    sources: Mapping[str, Source],
    spine: DataFrame,
    sample: Sequence[Sampled],
    relations: Sequence[Relation],
) -> dict[str, Source]:
    """The rows known before the last sampled instant, less those that are related to a row and later than it.

    A source whose rows reach others by a link keeps the latter: they may be another row's past.
    """
    travelling = {relation.source for relation in relations if relation.travels}
    found = {}
    for name, source in past(sources, max(one.as_of for one in sample)).items():
        rows = source.rows
        for relation in relations:
            if relation.source == name and relation.keys and name not in travelling:
                rows = _without_future(rows, spine, relation)
        found[name] = Source(rows, source.key)
    return found


def lagged(sources: Mapping[str, Source], lag: timedelta) -> dict[str, Source]:
    """The same rows, each known that much later."""
    return {
        name: Source(one.rows.withColumn("known_at", F.col("known_at") + F.lit(lag)), one.key)
        for name, one in sources.items()
    }


def _without_future(rows: DataFrame, spine: DataFrame, relation: Relation) -> DataFrame:
    names = [f"_key_{place}" for place in range(len(relation.keys))]
    pairs = zip(relation.keys, names, strict=True)
    # A hint, because Spark cannot know how few rows are proved, and would shuffle the whole source.
    described = F.broadcast(
        spine.select(F.col(AS_OF).alias(_AS_OF), *(F.col(key).alias(name) for key, name in pairs))
    )
    same = [F.col(own) == F.col(name) for own, name in zip(relation.columns, names, strict=True)]
    is_future = reduce(and_, same) & (F.col("known_at") >= F.col(_AS_OF))
    return rows.join(described, on=is_future, how="left_anti")


def _is_known(until: datetime) -> Column:
    return F.coalesce(F.col("known_at") < F.lit(until), F.lit(False))
