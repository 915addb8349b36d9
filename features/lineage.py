"""Lineage: which columns of which logs a feature reads, derived from what is declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyspark.sql import DataFrame

from features.columns_read import columns_read, query_reads
from features.declare import (
    Calendar,
    Converted,
    Entity,
    Expression,
    FeatureGroup,
    FeatureView,
    Link,
    Log,
    Lookup,
    Measure,
    SqlSource,
)
from features.derived_source import events_of
from features.links import source_of
from features.source import Source
from features.view import AS_OF
from lake.contracts import REVISION

Use = Literal["key", "time", "value", "condition", "order", "link", "query"]
_TIMES = ("event_at", "known_at")


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """A feature reads a column of a log.

    Attributes:
        use: what for: it finds rows (key), says when they count (time), is measured (value), leaves rows out
            (condition), puts them in order (order), leads from one log to another (link), or is read by a derived
            source (query), whose columns all depend on all it reads.
        via: the link or derived source it is read through; empty where none is.
    """

    feature: str
    log: str
    column: str
    use: Use
    via: str = ""


@dataclass(frozen=True, slots=True)
class _Need:
    """A column of a source, and what for."""

    source: Log
    column: str
    use: Use
    via: str = ""


def lineage(view: FeatureView, sources: Mapping[str, Source], built: DataFrame) -> list[Read]:
    """Everything that the features of a view read, in order.

    Args:
        sources: events by log name; only their columns matter.
        built: what ``build_view`` gives of them; only its columns matter.
    """
    return _Lineage(view, sources).reads(built)


@dataclass(slots=True)
class _Lineage:
    """The needs of the features of a view, by name."""

    view: FeatureView
    sources: Mapping[str, Source]
    _queries: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _columns: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def reads(self, built: DataFrame) -> list[Read]:
        needs = self._direct()
        for derived in self.view.derived:
            needs[derived.name] = [
                need for name in columns_read(derived.sql, built) for need in needs.get(name, [])
            ]
        found = {
            read for name in self.view.features for need in needs[name] for read in self._resolved(name, need)
        }
        return sorted(found)

    def _resolved(self, feature: str, need: _Need) -> Iterable[Read]:
        if isinstance(need.source, str):
            return [Read(feature, need.source, need.column, need.use, need.via)]
        query = need.source
        if query.name not in self._queries:
            self._queries[query.name] = query_reads(query, self.sources)
        return [Read(feature, log, column, "query", query.name) for log, column in self._queries[query.name]]

    def _direct(self) -> dict[str, list[_Need]]:
        """What each column of the table needs that is not derived from others."""
        view, spine = self.view, self.view.spine
        plain = [] if isinstance(spine.as_of, Calendar) else [spine.row, *spine.context]
        needs = {name: [_Need(spine.source, name, "value")] for name in plain}
        needs |= {key: [_Need(spine.source, self._own_name(key), "value")] for key in view.keys}
        needs[AS_OF] = self._as_of()
        for own in spine.own:
            needs[own.name] = self._expressed(own.sql, spine.source, "value")
        for converted in spine.converted:
            needs[converted.name] = needs[converted.has_rate] = self._of_conversion(converted)
            needs[converted.name] = [*needs[converted.name], _Need(spine.source, converted.amount, "value")]
        for entity in view.entities:
            needs[entity.present] = self._keys(entity)
        for entity in view.grouped_entities:
            groups = [group for group in view.groups if group.entity == entity]
            needs[entity.history] = [need for group in groups for need in self._of_group(group)]
        for group in view.groups:
            of_group = self._of_group(group)
            for measure in group.measures:
                of_measure = [*of_group, *self._of_measure(group, measure)]
                needs |= {group.feature(measure, window): of_measure for window in group.windows}
        for lookup in view.lookups:
            of_lookup = self._of_lookup(lookup)
            needs[lookup.age] = of_lookup
            for one in lookup.picked:
                needs[one.name] = [*of_lookup, *self._picked(lookup, one)]
        return needs

    def _asked(self, entity: Entity) -> list[_Need]:
        """The spine's keys of an entity, and its time."""
        return [*self._keys(entity), *self._as_of()]

    def _keys(self, entity: Entity) -> list[_Need]:
        return [_Need(self.view.spine.source, self._own_name(key), "key") for key in entity.keys]

    def _as_of(self) -> list[_Need]:
        at, source = self.view.spine.as_of, self.view.spine.source
        return [_Need(source, name, "time") for name in (_TIMES if isinstance(at, Calendar) else (at,))]

    def _own_name(self, key: str) -> str:
        """What the spine's source calls a key."""
        at = self.view.spine.as_of
        return dict(zip(at.entity.keys, at.keys, strict=True))[key] if isinstance(at, Calendar) else key

    def _expressed(self, sql: str, source: Log, use: Use) -> list[_Need]:
        return [_Need(source, column, use) for column in self._read(str(source), sql, self._rows(source))]

    def _read(self, name: str, sql: str, rows: DataFrame) -> tuple[str, ...]:
        """The columns of a source that an expression reads; one that many measures share is analyzed once."""
        if (name, sql) not in self._columns:
            self._columns[name, sql] = columns_read(sql, rows)
        return self._columns[name, sql]

    def _rows(self, source: Log) -> DataFrame:
        return self.sources[source].rows if isinstance(source, str) else events_of(source, self.sources).rows

    def _of_group(self, group: FeatureGroup) -> list[_Need]:
        """What every feature of a group needs, whatever it measures."""
        asked = self._asked(group.entity)
        if group.where is not None:
            asked += self._measured(group, group.where, "condition")
        if isinstance(group.source, Link):
            link, via = group.source, str(group.source)
            ends = [(link.source, link.on), (link.through, link.subject)]
            times = [(source, name) for source in (link.source, link.through) for name in _TIMES]
            return [
                *asked,
                *(_Need(link.through, key, "key", via) for key in group.keys),
                *(_Need(source, column, "link", via) for source, column in ends),
                *(_Need(source, column, "time", via) for source, column in times),
            ]
        return [*asked, *self._found_by(group.source, group.keys)]

    def _found_by(self, source: Log, keys: tuple[str, ...]) -> list[_Need]:
        """What finds the rows of a source: its keys and times, and what takes rows back."""
        revisions = [REVISION] if REVISION in self._rows(source).columns else []
        return [
            *(_Need(source, key, "key") for key in keys),
            *(_Need(source, name, "time") for name in (*_TIMES, *revisions)),
        ]

    def _of_measure(self, group: FeatureGroup, measure: Measure) -> list[_Need]:
        value = [] if measure.of is None else self._measured(group, measure.of, "value")
        where = [] if measure.where is None else self._measured(group, measure.where, "condition")
        order: list[_Need] = []
        if measure.kind in {"first", "last"} and not isinstance(group.source, Link):
            key = group.source.key if isinstance(group.source, SqlSource) else self.sources[group.source].key
            order = [_Need(group.source, column, "order") for column in key]
        return [*value, *where, *order]

    def _measured(self, group: FeatureGroup, sql: str, use: Use) -> list[_Need]:
        """What an expression over a group's rows needs; a link's rows have the events' columns and the links' keys."""
        if not isinstance(group.source, Link):
            return self._expressed(sql, group.source, use)
        link, via = group.source, str(group.source)
        rows = source_of(group, self.sources).rows
        return [
            _Need(link.through if column in group.keys else link.source, column, use, via)
            for column in columns_read(sql, rows)
        ]

    def _of_lookup(self, lookup: Lookup) -> list[_Need]:
        """What a look-up needs, whatever it picks."""
        order = [] if lookup.order_by is None else [_Need(lookup.source, lookup.order_by, "order")]
        return [*self._asked(lookup.entity), *self._found_by(lookup.source, lookup.keys), *order]

    def _picked(self, lookup: Lookup, one: Expression) -> list[_Need]:
        value = self._expressed(one.sql, lookup.source, "value")
        deleted = lookup.deleted
        return value if deleted is None else [*value, *self._expressed(deleted, lookup.source, "condition")]

    def _of_conversion(self, converted: Converted) -> list[_Need]:
        """What the rate of an amount needs."""
        spine, rates = self.view.spine, converted.rates
        order = [] if rates.order_by is None else [_Need(rates.source, rates.order_by, "order")]
        return [
            _Need(spine.source, converted.currency, "key"),
            *self._as_of(),
            *self._found_by(rates.source, (rates.currency,)),
            *order,
            _Need(rates.source, rates.rate, "value"),
        ]
