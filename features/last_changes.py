"""The last change of each key that could be seen by an instant, kept so that a look-up need not read the log so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    FractionalType,
    IntegralType,
    StringType,
    StructType,
    TimestampType,
)

from features.began import began_between
from features.declare import Lookup
from features.derived_source import EXACT_JSON, events_after, events_of, has_bounds
from features.source import Source, key_of

KEY, SEEN_FROM, CHANGE = "_key", "_seen_from", "_change"
EVENT, DELETES = "event", "deletes"

# Types whose values come back from JSON as they were.
_KEPT = (BooleanType, IntegralType, FractionalType, StringType, DateType, TimestampType)


@dataclass(frozen=True, slots=True)
class KnownChanges:
    """The last changes that could be seen by ``until`` (microseconds): ``key`` as text, ``change`` as JSON."""

    until: int
    rows: DataFrame


def changes(lookup: Lookup, sources: Mapping[str, Source], known: KnownChanges | None = None) -> DataFrame:
    """Every change with the instant from which it can be seen; the greatest of those seen is the last.

    Args:
        sources: events by log name.
        known: what stands for the changes up to its instant.

    Returns:
        One row per change that has a key: the key, the instant in microseconds, and what the change says.
    """
    source = events_of(lookup.source, sources)
    if known is None or not _is_kept(lookup, source):
        return _changes(lookup, source)
    later = _changes(lookup, events_after(lookup.source, sources, known.until))
    return later.unionByName(_typed(known, later.schema))


def kept_changes(
    lookup: Lookup, sources: Mapping[str, Source], until: int, before: KnownChanges | None
) -> DataFrame | None:
    """The last change of each key that could be seen by an instant, as ``KnownChanges`` has them.

    Args:
        until: microseconds.
        before: earlier ones, which spare reading what they stand for.

    Returns:
        None where changes cannot be kept: those of a query without a lookback, and values that are no plain ones.
    """
    source = events_after(lookup.source, sources, None if before is None else before.until)
    if not _is_kept(lookup, source):
        return None
    seen = _changes(lookup, Source(source.rows.where(began_between(None, until)), source.key))
    if before is not None:
        seen = seen.unionByName(_typed(before, seen.schema))
    last = seen.groupBy(KEY).agg(F.max(CHANGE).alias(CHANGE))
    return last.select(F.col(KEY).cast("string").alias("key"), F.to_json(CHANGE, EXACT_JSON).alias("change"))


def place(lookup: Lookup, source: Source) -> list[Column]:
    """What puts changes in order."""
    number = [] if lookup.order_by is None else [F.col(lookup.order_by).alias("number")]
    return [*number, F.unix_micros("event_at").alias(EVENT), source.row_id.alias("id")]


def deletes(lookup: Lookup) -> Column:
    """Whether a change deletes."""
    return F.lit(False) if lookup.deleted is None else F.coalesce(F.expr(lookup.deleted), F.lit(False))


def _changes(lookup: Lookup, source: Source) -> DataFrame:
    change = F.struct(
        *place(lookup, source),
        deletes(lookup).alias(DELETES),
        *(F.expr(one.sql).alias(f"value_{n}") for n, one in enumerate(lookup.picked)),
    )
    seen_from = F.greatest(F.unix_micros("event_at"), F.unix_micros("known_at"))
    found = source.rows.select(
        key_of(lookup.keys).alias(KEY), seen_from.alias(SEEN_FROM), change.alias(CHANGE)
    )
    return found.where(F.col(KEY).isNotNull())


def _is_kept(lookup: Lookup, source: Source) -> bool:
    if not has_bounds(lookup.source):
        return False
    order = () if lookup.order_by is None else (F.col(lookup.order_by),)
    read = source.rows.select(*order, *(F.expr(one.sql).alias(one.name) for one in lookup.picked))
    return all(isinstance(field.dataType, _KEPT) for field in read.schema)


def _typed(known: KnownChanges, schema: StructType) -> DataFrame:
    """Changes that were kept, as the log's own are."""
    kinds: dict[str, DataType] = {field.name: field.dataType for field in schema}
    return known.rows.select(
        F.col("key").cast(kinds[KEY]).alias(KEY),
        F.lit(known.until).cast("long").alias(SEEN_FROM),
        F.from_json("change", kinds[CHANGE].json(), EXACT_JSON).alias(CHANGE),
    )
