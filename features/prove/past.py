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

    A row that is the past of another sampled row stays: by another key, or by a link that its source travels by.

    Args:
        spine: the sampled rows; no two of them are related to a source row by the same columns.
    """
    travelling = {relation.source for relation in relations if relation.travels}
    found = {}
    for name, source in past(sources, max(one.as_of for one in sample)).items():
        own = [relation for relation in relations if relation.source == name and relation.keys]
        rows = source.rows if name in travelling or not own else _without_future(source.rows, spine, own)
        found[name] = Source(rows, source.key)
    return found


def lagged(sources: Mapping[str, Source], lag: timedelta) -> dict[str, Source]:
    """The same rows, each known that much later."""
    return {
        name: Source(one.rows.withColumn("known_at", F.col("known_at") + F.lit(lag)), one.key)
        for name, one in sources.items()
    }


def _without_future(rows: DataFrame, spine: DataFrame, relations: Sequence[Relation]) -> DataFrame:
    joined, is_future, is_past = rows, F.lit(False), F.lit(False)
    for number, relation in enumerate(relations):
        at, names = f"_as_of_{number}", [f"_key_{number}_{place}" for place in range(len(relation.keys))]
        pairs = zip(relation.keys, names, strict=True)
        # A hint, because Spark cannot know how few rows are proved, and would shuffle the whole source.
        described = F.broadcast(
            spine.select(F.col(AS_OF).alias(at), *(F.col(key).alias(name) for key, name in pairs))
        )
        same = [F.col(own) == F.col(name) for own, name in zip(relation.columns, names, strict=True)]
        joined = joined.join(described, on=reduce(and_, same), how="left")
        is_future |= F.coalesce(F.col("known_at") >= F.col(at), F.lit(False))
        is_past |= F.coalesce(F.col("known_at") < F.col(at), F.lit(False))
    return joined.where(~is_future | is_past).select(*rows.columns)


def _is_known(until: datetime) -> Column:
    return F.coalesce(F.col("known_at") < F.lit(until), F.lit(False))
