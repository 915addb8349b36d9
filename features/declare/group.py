"""Measures of one entity over windows of one source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from features.declare.entity import Entity, feature_name
from features.declare.link import Link
from features.declare.measure import Measure
from features.declare.place import Declared, here
from features.declare.sql_source import Log, logs_of
from features.declare.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureGroup:
    """Measures of one entity over windows of one source.

    Attributes:
        source: a log, a query over logs, or a link that brings the events of one log to what another linked them with.
        source_key: the source's column, or columns, that hold the entity's key, where named otherwise than the spine's.
        where: SQL condition on the source's rows.
        owner: who answers for these features.
        description: what they are for.
        tags: words to find them by.
    """

    entity: Entity
    source: Log | Link
    windows: Sequence[Window]
    measures: Sequence[Measure]
    source_key: str | tuple[str, ...] | None = None
    where: str | None = None
    owner: str = field(default="", compare=False)
    description: str = field(default="", compare=False)
    tags: Sequence[str] = field(default=(), compare=False)
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """The source's columns of the key, in the order of the entity's."""
        if self.source_key is None:
            return self.entity.keys
        return (self.source_key,) if isinstance(self.source_key, str) else self.source_key

    @property
    def logs(self) -> tuple[str, ...]:
        """The logs that are read."""
        return self.source.logs if isinstance(self.source, Link) else logs_of(self.source)

    @property
    def key_log(self) -> Log:
        """The log that holds the entity's keys."""
        return self.source.through if isinstance(self.source, Link) else self.source

    def feature(self, measure: Measure, window: Window) -> str:
        return feature_name(self.entity, measure.name, window)
