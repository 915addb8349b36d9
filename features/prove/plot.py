"""A source to plant absurd rows in: what its rows look like, and as whose they can be planted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql.types import StructField, StructType

from features.prove.absurd import absurd, identifier
from features.prove.patterns import Pattern, Patterns
from features.prove.relation import Relation
from features.prove.roles import Role, held, roles
from features.prove.sample import Sampled
from features.source import TOLD_AT, Source
from lake.contracts import CORRECTION, RETRACTION, REVISION

Cells = tuple[object, ...]
# When planted rows happen, and when they are known, from the described row's instant on.
Times = Sequence[tuple[timedelta, timedelta]]


@dataclass(frozen=True, slots=True)
class Plot:
    """One source.

    Attributes:
        relations: how its rows belong to a described row.
        patterns: real rows that planted ones are made like.
        last: the last row of each described row's past, where rows can be taken back.
    """

    source: Source
    relations: Sequence[Relation]
    patterns: Patterns
    last: Mapping[str, Pattern]

    @property
    def schema(self) -> StructType:
        """The source's columns; planted rows may leave any of them null."""
        return StructType([StructField(f.name, f.dataType, nullable=True) for f in self.source.rows.schema])

    def planted(
        self, sampled: Sampled, times: Times, numbers: Iterator[int], *, is_last: bool
    ) -> list[Cells]:
        """A row for each of the times in each role, and late revisions of the past."""
        schema = self.schema
        rows = [
            self._row(sampled, role, when, next(numbers), is_last=is_last)
            for role in roles(self.relations)
            for when in times
        ]
        told = sampled.as_of + max(times[0])
        return [*rows, *self._revisions(sampled.row_id, told, schema)]

    def _row(
        self,
        sampled: Sampled,
        role: Role,
        when: tuple[timedelta, timedelta],
        number: int,
        *,
        is_last: bool,
    ) -> Cells:
        schema = self.schema
        pattern = self.patterns.at(number)
        happens, known = sampled.as_of + when[0], sampled.as_of + when[1]
        cells = {field.name: self._value(field, pattern) for field in schema}
        for column in self.source.key:
            name = f"canary {sampled.row_id} {number}"
            cells[column] = identifier(schema[column].dataType, name, number, pattern.get(column))
        cells |= {"event_at": happens, "known_at": known, TOLD_AT: known, REVISION: None}
        cells |= dict(held(role, self.relations, sampled, schema, is_last=is_last))
        return tuple(cells[field.name] for field in schema)

    def _value(self, field: StructField, pattern: Pattern) -> object:
        value = pattern.get(field.name)
        return value if field.name in self.patterns.kinds else absurd(field.dataType, value)

    def _revisions(self, row_id: str, told: datetime, schema: StructType) -> Iterator[Cells]:
        """The last row of the past corrected, and taken back, with absurd values in either row."""
        if row_id not in self.last:
            return
        last = self.last[row_id]
        when = {"known_at": told, TOLD_AT: told}
        kept = {"event_at", *self.source.key, *(c for relation in self.relations for c in relation.columns)}
        changed = {field.name: self._value(field, last) for field in schema if field.name not in kept}
        for revision in (CORRECTION, RETRACTION):
            cells = {**last, **changed, **when, REVISION: revision}
            yield tuple(cells[field.name] for field in schema)
