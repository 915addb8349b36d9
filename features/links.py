"""Link sources: events of a subject, brought to everything the subject was ever seen with.

Only the first link of a subject with a key matters. Those known by an instant can be kept, which spares reading the
log of links up to then; events are read however old, for a link brings earlier ones along whenever it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.began import began_between
from features.declare import FeatureGroup, Link
from features.derived_source import events_after, events_of, has_bounds
from features.source import TOLD_AT, Source, columns_of, text_of

SUBJECT, LINKED_AT = "subject", "linked_at"
_SUBJECT, _LINKED_AT = "_subject", "_linked_at"


@dataclass(frozen=True, slots=True)
class KnownLinks:
    """The first links that began by ``until`` (microseconds): ``key`` and ``subject`` as text, ``linked_at``."""

    until: int
    rows: DataFrame


def source_of(
    group: FeatureGroup, sources: Mapping[str, Source], known: Callable[[], KnownLinks] | None = None
) -> Source:
    """The source a group reads: a log, what a query makes of logs, or what a link brings to the group's keys.

    Args:
        known: gives the first links that were kept, of a group whose links are.
    """
    if not isinstance(group.source, Link):
        return events_of(group.source, sources)
    link, events = group.source, events_of(group.source.source, sources)
    links = events_of(link.through, sources).rows
    if known is None or not has_bounds(link.through):
        return linked(link, group.keys, events, _first(link, group.keys, links))
    before = known()
    later = events_after(link.through, sources, before.until).rows
    first = _typed(before, link, group.keys, links).unionByName(_first(link, group.keys, later))
    return linked(link, group.keys, events, _earliest(first, group.keys))


def kept_links(
    group: FeatureGroup, sources: Mapping[str, Source], until: int, before: KnownLinks | None
) -> DataFrame | None:
    """The first links of a group that began by an instant, as ``KnownLinks`` has them.

    Args:
        until: microseconds.
        before: earlier ones, which spare reading what they stand for.

    Returns:
        None where the group has no link, or one that cannot be kept: that of a query without a lookback.
    """
    link = group.source
    if not isinstance(link, Link) or not has_bounds(link.through):
        return None
    links = events_after(link.through, sources, None if before is None else before.until)
    first = _first(link, group.keys, links.rows.where(began_between(None, until)))
    key = text_of(group.keys)
    rows = first.where(key.isNotNull()).select(
        key.alias("key"),
        F.col(_SUBJECT).cast("string").alias(SUBJECT),
        F.unix_micros(_LINKED_AT).alias(LINKED_AT),
    )
    if before is None:
        return rows
    return rows.unionByName(before.rows).groupBy("key", SUBJECT).agg(F.min(LINKED_AT).alias(LINKED_AT))


def linked(link: Link, keys: tuple[str, ...], events: Source, first: DataFrame) -> Source:
    """Bring the events of each subject to the keys it was linked with.

    Args:
        keys: columns of the links that say what the subject was linked with.
        first: since when each subject is linked with each key.

    Returns:
        One row per event and key that its subject was ever linked with: ``keys``, the event's columns, and ``event_at``
        and ``known_at`` moved on to the first known link where that came later. Revisions stay revisions. A link that
        was taken back stays a link: it was seen. No event or no link gives no row.
    """
    joined = events.rows.drop(*keys).join(first, on=F.col(link.on) == F.col(_SUBJECT), how="inner")
    moved = {name: F.greatest(F.col(name), F.col(_LINKED_AT)) for name in ("event_at", "known_at")}
    if events.is_revised:
        moved[TOLD_AT] = events.told_at
    return Source(joined.withColumns(moved).drop(_SUBJECT, _LINKED_AT), (*events.key, *keys))


def _first(link: Link, keys: tuple[str, ...], links: DataFrame) -> DataFrame:
    # Spread by subject alone, links are grouped and joined where they lie. Few events are broadcast.
    return (
        links.repartition(link.subject)
        .groupBy(F.col(link.subject).alias(_SUBJECT), *keys)
        .agg(F.min(F.greatest("event_at", "known_at")).alias(_LINKED_AT))
        .where(F.col(_SUBJECT).isNotNull())
    )


def _earliest(first: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """The first links among several of the same subject and key."""
    together = first.repartition(_SUBJECT).groupBy(_SUBJECT, *keys)
    return together.agg(F.min(_LINKED_AT).alias(_LINKED_AT))


def _typed(known: KnownLinks, link: Link, keys: tuple[str, ...], links: DataFrame) -> DataFrame:
    """Links that were kept, with the types and names of the log's."""
    return known.rows.select(
        F.col(SUBJECT).cast(links.schema[link.subject].dataType).alias(_SUBJECT),
        *(
            column.cast(links.schema[name].dataType).alias(name)
            for name, column in zip(keys, columns_of(F.col("key"), keys), strict=True)
        ),
        F.timestamp_micros(LINKED_AT).alias(_LINKED_AT),
    )
