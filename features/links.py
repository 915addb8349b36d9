"""Link sources: events of a subject, brought to everything the subject was ever seen with."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import functions as F

from features.declare import FeatureGroup, Link
from features.derived_source import events_of
from features.source import TOLD_AT, Source

_SUBJECT, _LINKED_AT = "_subject", "_linked_at"


def source_of(group: FeatureGroup, sources: Mapping[str, Source]) -> Source:
    """The source a group reads: a log, what a query makes of logs, or what a link brings to the group's keys."""
    if not isinstance(group.source, Link):
        return events_of(group.source, sources)
    link = group.source
    return linked(link, group.keys, events_of(link.source, sources), events_of(link.through, sources))


def linked(link: Link, keys: tuple[str, ...], events: Source, links: Source) -> Source:
    """Bring the events of each subject to the keys it was linked with.

    Args:
        keys: columns of the links that say what the subject was linked with.

    Returns:
        One row per event and key that its subject was ever linked with: ``keys``, the event's columns, and ``event_at``
        and ``known_at`` moved on to the first known link where that came later. Revisions stay revisions. A link that
        was taken back stays a link: it was seen. No event or no link gives no row.
    """
    # Spread by subject alone, links are grouped and joined where they lie. Few events are broadcast.
    first = (
        links.rows.repartition(link.subject)
        .groupBy(F.col(link.subject).alias(_SUBJECT), *keys)
        .agg(F.min(F.greatest("event_at", "known_at")).alias(_LINKED_AT))
        .where(F.col(_SUBJECT).isNotNull())
    )
    joined = events.rows.drop(*keys).join(first, on=F.col(link.on) == F.col(_SUBJECT), how="inner")
    moved = {name: F.greatest(F.col(name), F.col(_LINKED_AT)) for name in ("event_at", "known_at")}
    if events.is_revised:
        moved[TOLD_AT] = events.told_at
    return Source(joined.withColumns(moved).drop(_SUBJECT, _LINKED_AT), (*events.key, *keys))
