"""The rows to describe, and the wide table that describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from features.declare.entity import Entity
from features.declare.expression import Expression
from features.declare.group import FeatureGroup
from features.declare.place import Declared, here


@dataclass(frozen=True, slots=True, kw_only=True)
class Spine:
    """The rows to describe: one per source row that fulfils ``where``, at the instant in column ``as_of``.

    ``columns`` are features the row brings itself; ``context`` are columns kept beside it that no model sees.
    """

    source: str
    row: str
    as_of: Literal["event_at", "known_at"] = "event_at"
    where: str | None = None
    columns: Sequence[str | Expression] = ()
    context: Sequence[str] = ()
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def own(self) -> tuple[Expression, ...]:
        """Every column as a named expression."""
        return tuple(Expression(c, c) if isinstance(c, str) else c for c in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """One wide table: a row per spine row, its own columns, every group's features, and what is derived from them."""

    name: str
    spine: Spine
    groups: Sequence[FeatureGroup]
    derived: Sequence[Expression] = ()
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def table(self) -> str:
        return f"features_{self.name}"

    @property
    def entities(self) -> tuple[Entity, ...]:
        return tuple(dict.fromkeys(group.entity for group in self.groups))

    @property
    def keys(self) -> tuple[str, ...]:
        """The spine's columns that are keys of entities."""
        return tuple(dict.fromkeys(key for entity in self.entities for key in entity.keys))

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys([self.spine.source, *(log for group in self.groups for log in group.logs)])
        )

    @property
    def flags(self) -> tuple[str, ...]:
        """What is said of each entity beside its measures: whether the row has it, whether it has a history."""
        return tuple(name for entity in self.entities for name in (entity.present, entity.history))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features, in the order of the table."""
        windowed = [g.feature(m, w) for g in self.groups for m in g.measures for w in g.windows]
        own, derived = [c.name for c in self.spine.own], [e.name for e in self.derived]
        return (*own, *self.flags, *windowed, *derived)
