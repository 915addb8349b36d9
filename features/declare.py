"""What an analyst writes: entities, groups of windowed measures, spines and views. Declaring computes nothing.

Names of features are derived: ``<entity>_<measure>_<window>``, such as ``terminal_payment_count_7d``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "count", "sum", "mean", "share", "min", "max", "distinct", "hours_since_last", "hours_since_first"
]

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Declared:
    """The file and line a declaration stands on."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def here() -> Declared:
    """The nearest caller outside this module: the line of the user's declaration."""
    frame = sys._getframe(1)  # noqa: SLF001 - the standard library has no public way to a caller's line
    while frame.f_back and frame.f_globals.get("__name__") in {__name__, "training.model", "features.labels"}:
        frame = frame.f_back
    return Declared(frame.f_code.co_filename, frame.f_lineno)


@dataclass(frozen=True, slots=True)
class Window:
    """A span before ``as_of``: a row exactly that old is inside, one of the same instant is outside."""

    label: str
    micros: int | None


def minutes(count: int) -> Window:
    """A window of that many minutes."""
    return Window(f"{count}m", count * 60 * _MICROS)


def hours(count: int) -> Window:
    """A window of that many hours."""
    return Window(f"{count}h", count * 3600 * _MICROS)


def days(count: int) -> Window:
    """A window of that many days of 24 hours."""
    return Window(f"{count}d", count * 86_400 * _MICROS)


LIFETIME = Window("lifetime", None)


@dataclass(frozen=True, slots=True)
class Entity:
    """Something with a history. ``key`` is the spine's column; a null key has no features."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One aggregate over each window of its group. ``of`` is a column or a SQL expression of the source's row."""

    kind: Kind
    name: str
    of: str | None = None
    where: str | None = None


def count(name: str, *, where: str | None = None) -> Measure:
    """Number of rows (that fulfil ``where``); 0 where there are none."""
    return Measure("count", name, where=where)


def total(of: str, *, name: str | None = None, where: str | None = None) -> Measure:
    """Exact sum of a decimal or integer; 0 where there are no rows."""
    return Measure("sum", name or f"{of}_sum", of, where)


def mean(of: str, *, name: str | None = None, where: str | None = None) -> Measure:
    """Mean of a decimal or integer; null where there are no rows."""
    return Measure("mean", name or f"{of}_mean", of, where)


def share(name: str, *, of: str, where: str | None = None) -> Measure:
    """Share of rows for which ``of`` is true, of those where it is not null; null where there are none."""
    return Measure("share", name, of, where)


def smallest(of: str, *, name: str | None = None, where: str | None = None) -> Measure:
    """Least value; null where there are no rows."""
    return Measure("min", name or f"{of}_min", of, where)


def largest(of: str, *, name: str | None = None, where: str | None = None) -> Measure:
    """Greatest value; null where there are no rows."""
    return Measure("max", name or f"{of}_max", of, where)


def distinct(of: str, *, name: str | None = None, where: str | None = None) -> Measure:
    """Exact number of different values, nulls left out; 0 where there are no rows."""
    return Measure("distinct", name or f"{of}_distinct", of, where)


def hours_since_last(name: str, *, where: str | None = None) -> Measure:
    """Hours from the latest row in the window to ``as_of``; null where there are no rows."""
    return Measure("hours_since_last", name, where=where)


def hours_since_first(name: str, *, where: str | None = None) -> Measure:
    """Hours from the earliest row in the window to ``as_of``; null where there are no rows."""
    return Measure("hours_since_first", name, where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureGroup:
    """Measures of one entity over windows of one source log.

    ``source_key`` is the source's column that holds the entity's key, where its name differs from the spine's.
    """

    entity: Entity
    source: str
    windows: Sequence[Window]
    measures: Sequence[Measure]
    source_key: str | None = None
    where: str | None = None
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def key(self) -> str:
        return self.source_key or self.entity.key

    def feature(self, measure: Measure, window: Window) -> str:
        return f"{self.entity.name}_{measure.name}_{window.label}"


@dataclass(frozen=True, slots=True)
class Expression:
    """A named SQL expression over one row."""

    name: str
    sql: str


def expression(name: str, sql: str) -> Expression:
    """A feature computed from one row: of the source in a spine, of the finished features in ``derived``."""
    return Expression(name, sql)


def hour_of_day(of: str) -> Expression:
    """Hour of an instant, 0 to 23 (UTC)."""
    return Expression("hour_of_day", f"hour({of})")


def day_of_week(of: str) -> Expression:
    """Day of an instant, 1 (Sunday) to 7 (Saturday), UTC."""
    return Expression("day_of_week", f"dayofweek({of})")


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
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([self.spine.source, *(group.source for group in self.groups)]))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features, in the order of the table."""
        windowed = [g.feature(m, w) for g in self.groups for m in g.measures for w in g.windows]
        return tuple([c.name for c in self.spine.own] + windowed + [e.name for e in self.derived])

    def reach(self, source: str) -> int | None:
        """How far back before ``as_of`` a source is read, in microseconds; None without bound."""
        spans = [w.micros for g in self.groups if g.source == source for w in g.windows]
        bounded = [span for span in spans if span is not None]
        return max(bounded, default=0) if len(bounded) == len(spans) else None
