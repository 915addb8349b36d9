"""Instants at regular steps, for features of an entity rather than of an event."""

from __future__ import annotations

from dataclasses import dataclass

from features.declare.entity import Entity
from features.declare.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """An entity at every step, from when the spine's source first knew it: ``every=days(1)`` is midnight UTC.

    Steps are counted from 1970-01-01, so a build of any range meets the same instants. The row's id is made of the key
    and the instant.

    Attributes:
        every: the step, of a fixed length.
        source_key: the source's column, or columns, that hold the entity's key, where named otherwise.
    """

    entity: Entity
    every: Window
    source_key: str | tuple[str, ...] | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The source's columns of the key, in the order of the entity's."""
        if self.source_key is None:
            return self.entity.keys
        return (self.source_key,) if isinstance(self.source_key, str) else self.source_key
