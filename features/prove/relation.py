"""Which rows of a source belong to a described row: those that hold its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.declare import FeatureView, Link, Log
from features.labels import Label
from features.source import Source
from lake.errors import SchemaError

_TIMES = ("event_at", "known_at")


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of ``source`` whose ``columns`` equal a described row's ``keys`` belong to it.

    Without keys the columns name a subject by which rows of two sources are linked; ``travels`` says that a row of this
    source reaches the rows of others by it.
    """

    source: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    travels: bool = False


def relations_of(view: FeatureView, labels: Sequence[Label] = ()) -> list[Relation]:
    """The relations of a view: by the keys of its groups and look-ups, and of the labels by the row's id.

    Which rows of a log a query makes events of only the query knows: its logs are in no relation by it.
    """
    found: list[tuple[Log, tuple[str, ...], tuple[str, ...], bool]] = []
    for group in view.groups:
        read = group.source.through if isinstance(group.source, Link) else group.source
        found.append((read, group.keys, group.entity.keys, False))
        if isinstance(group.source, Link):
            found.append((group.source.source, (group.source.on,), (), True))
            found.append((group.source.through, (group.source.subject,), (), False))
    found += [(lookup.source, lookup.keys, lookup.entity.keys, False) for lookup in view.lookups]
    related = [
        Relation(log, columns, keys, travels=travels)
        for log, columns, keys, travels in found
        if isinstance(log, str)
    ]
    of_label = [Relation(label.source, (label.on,), (view.spine.row,)) for label in labels]
    return list(dict.fromkeys([*of_label, *related]))


def relations_by_name(
    sources: Mapping[str, Source], *, keys: Sequence[str], row: str, own: str | None = None
) -> list[Relation]:
    """A relation for each key, and for the row's id, in each source that has a column of that name.

    Args:
        keys: columns of the spine that say whose history is looked at.
        row: the spine's row id; it relates no row of ``own`` to itself.
        own: the source whose rows the spine describes.
    """
    return [
        Relation(name, (column,), (column,))
        for name, source in sources.items()
        for column in [*keys, *([] if name == own else [row])]
        if column in source.rows.columns
    ]


def check_sources(sources: Mapping[str, Source], relations: Sequence[Relation]) -> None:
    """Refuse sources that are absent, or without their times or keys.

    Raises:
        SchemaError: with what is there and what is lacking.
    """
    for name in dict.fromkeys(relation.source for relation in relations):
        if name not in sources:
            raise SchemaError(
                f"there is no source {name}, but rows are related by it; there are {', '.join(sources) or 'none'}. "
                "Give every source that the features are built from"
            )
    for name, source in sources.items():
        related = [column for relation in relations if relation.source == name for column in relation.columns]
        wanted = dict.fromkeys([*_TIMES, *source.key, *related])
        if not set(wanted) <= set(source.rows.columns):
            raise SchemaError.missing(name, wanted, source.rows.columns)
