"""The rows to describe, and the wide table that describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from features.declare.calendar import Calendar
from features.declare.conversion import Converted, Rates
from features.declare.entity import Entity
from features.declare.expression import Expression
from features.declare.group import FeatureGroup
from features.declare.link import Link
from features.declare.lookup import Lookup
from features.declare.place import Declared, here
from features.declare.sql_source import Log, SqlSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Spine:
    """The rows to describe: one per source row that fulfils ``where``, at the instant in column ``as_of``.

    Where ``as_of`` is a calendar, one per key and step of it, with a ``row`` id that is made; such rows have no columns
    of their own.

    ``columns`` are features the row brings itself; ``context`` are columns kept beside it that no model sees.
    """

    source: str
    row: str
    as_of: Literal["event_at", "known_at"] | Calendar = "event_at"
    where: str | None = None
    columns: Sequence[str | Expression | Converted] = ()
    context: Sequence[str] = ()
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def own(self) -> tuple[Expression, ...]:
        """Every column that is computed from the row alone, as a named expression."""
        plain = (c for c in self.columns if not isinstance(c, Converted))
        return tuple(Expression(c, c) if isinstance(c, str) else c for c in plain)

    @property
    def converted(self) -> tuple[Converted, ...]:
        """Every column that is converted at the rate known then."""
        return tuple(c for c in self.columns if isinstance(c, Converted))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """One wide table: a row per spine row, its own columns, what groups and look-ups give, and what is derived."""

    name: str
    spine: Spine
    groups: Sequence[FeatureGroup]
    lookups: Sequence[Lookup] = ()
    derived: Sequence[Expression] = ()
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def table(self) -> str:
        return f"features_{self.name}"

    @property
    def entities(self) -> tuple[Entity, ...]:
        return tuple(dict.fromkeys([*self.grouped_entities, *(lookup.entity for lookup in self.lookups)]))

    @property
    def grouped_entities(self) -> tuple[Entity, ...]:
        """The entities that have groups, and with them a history."""
        return tuple(dict.fromkeys(group.entity for group in self.groups))

    @property
    def keys(self) -> tuple[str, ...]:
        """The spine's columns that are keys of entities."""
        return tuple(dict.fromkeys(key for entity in self.entities for key in entity.keys))

    @property
    def context(self) -> tuple[str, ...]:
        """Columns that are kept beside the features, less the keys."""
        return (*self.spine.context, *(name for lookup in self.lookups for name in lookup.kept))

    @property
    def sources(self) -> tuple[str, ...]:
        """Every log that is read."""
        readers: list[FeatureGroup | Lookup | Rates] = [*self.groups, *self.lookups]
        readers += [one.rates for one in self.spine.converted]
        return tuple(dict.fromkeys([self.spine.source, *(log for reader in readers for log in reader.logs)]))

    @property
    def queries(self) -> tuple[SqlSource, ...]:
        """Every source that is a query, as often as it is named."""
        named: list[Log] = [lookup.source for lookup in self.lookups]
        named += [one.rates.source for one in self.spine.converted]
        for group in self.groups:
            if isinstance(group.source, Link):
                named += [group.source.source, group.source.through]
            else:
                named.append(group.source)
        return tuple(source for source in named if isinstance(source, SqlSource))

    @property
    def flags(self) -> tuple[str, ...]:
        """What is said of each entity beside its measures: whether the row has it, whether it has a history."""
        histories = set(self.grouped_entities)
        return tuple(
            name
            for entity in self.entities
            for name in ([entity.present, entity.history] if entity in histories else [entity.present])
        )

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names of the features whose values are codes of categories."""
        picked = [one for lookup in self.lookups for one in lookup.picked]
        named = {one.name for one in (*self.spine.own, *picked, *self.derived) if one.codes is not None}
        return tuple(name for name in self.features if name in named)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features, in the order of the table."""
        own = [column.name for column in self.spine.own]
        converted = [name for one in self.spine.converted for name in (one.name, one.has_rate)]
        windowed = [g.feature(m, w) for g in self.groups for m in g.measures for w in g.windows]
        looked_up = [name for lookup in self.lookups for name in lookup.features]
        derived = [e.name for e in self.derived]
        return (*own, *converted, *self.flags, *windowed, *looked_up, *derived)
