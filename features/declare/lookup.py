"""What a change log last said of an entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from features.declare.entity import Entity
from features.declare.expression import Expression
from features.declare.place import Declared, here
from features.declare.sql_source import Log, logs_of
from features.declare.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The last change of an entity that was known before ``as_of``, from an append-only change log.

    A change is looked at where it happened and was known before ``as_of``; the last of them is the one with the
    greatest ``order_by``, else the latest by (event_at, row id). Values are null where no change was known, where the
    last one deletes, and where it is older than ``stale_after``. How long ago it happened is a feature of its own,
    ``<entity>_<source>_age_hours``, which is null only where no change was known.

    Attributes:
        columns: features, named ``<entity>_<column>``: columns of the log or expressions over one of its rows, that
            are numbers or truths.
        context: the same, of any type, kept beside the features: no model sees them, derived features may read them.
        order_by: the log's column that orders changes, such as ``lsn``.
        deleted: SQL condition of a change that deletes, such as ``op = 'D'``.
        stale_after: how old a change may be; one exactly that old still stands. None is however old.
        source_key: the log's column, or columns, that hold the entity's key, where named otherwise than the spine's.
        spread: how many tasks may share the rows of one key; each change is brought to all of them. For few keys of
            many rows each, such as countries.
        owner: who answers for these features.
        description: what they are for.
        tags: words to find them by.
    """

    entity: Entity
    source: Log
    columns: Sequence[str | Expression] = ()
    context: Sequence[str | Expression] = ()
    order_by: str | None = None
    deleted: str | None = None
    stale_after: Window | None = None
    source_key: str | tuple[str, ...] | None = None
    spread: int = field(default=1, compare=False)
    owner: str = field(default="", compare=False)
    description: str = field(default="", compare=False)
    tags: Sequence[str] = field(default=(), compare=False)
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """The log's columns of the key, in the order of the entity's."""
        if self.source_key is None:
            return self.entity.keys
        return (self.source_key,) if isinstance(self.source_key, str) else self.source_key

    @property
    def logs(self) -> tuple[str, ...]:
        """The logs that are read."""
        return logs_of(self.source)

    @property
    def picked(self) -> tuple[Expression, ...]:
        """What is read of a change, features first, under the names it gets."""
        named = [Expression(c, c) if isinstance(c, str) else c for c in (*self.columns, *self.context)]
        return tuple(Expression(f"{self.entity.name}_{one.name}", one.sql) for one in named)

    @property
    def age(self) -> str:
        """The feature that says how many hours ago the change happened."""
        return f"{self.entity.name}_{self.source}_age_hours"

    @property
    def features(self) -> tuple[str, ...]:
        """Names of its features."""
        return (*(one.name for one in self.picked[: len(self.columns)]), self.age)

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the columns that are context."""
        return tuple(one.name for one in self.picked[len(self.columns) :])
