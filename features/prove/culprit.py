"""The source row that moves a feature: rows a value must not depend on are shown to it again, by halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.prove.report import SourceEvent
from features.prove.sample import at_micros
from features.prove.subject import Cells, Subject, moved
from features.source import Source

# Of so many hidden rows, the earliest known, one can be named in at most twelve rebuilds.
LOOKED_AT = 4_096
# Features that one row moves share its rebuilds; after so many different rows the rest is left unnamed.
CULPRITS = 3


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a hidden row stands in the order in which rows are shown: by when they are known; unknown ones last."""

    known: int | None
    source: str
    id: str
    at: int | None

    @property
    def event(self) -> SourceEvent:
        known, at = (None if micros is None else at_micros(micros) for micros in (self.known, self.at))
        return SourceEvent(source=self.source, row_id=self.id, event_at=at, known_at=known)


@dataclass(slots=True)
class Search:
    """One described row, the sources it may see, and rows that must not matter to it.

    Attributes:
        spine: the described row alone.
        seen: the sources without the hidden rows.
        alone: the row's values without any hidden row.
        hidden: the rows that must not matter, by source.
    """

    subject: Subject
    spine: DataFrame
    row_id: str
    seen: Mapping[str, Source]
    alone: Cells
    hidden: Mapping[str, DataFrame]
    _values: dict[_Place, Cells] = field(default_factory=dict)
    _order: list[_Place] | None = None

    def with_all(self) -> Cells:
        """The row's values with all hidden rows that are looked at."""
        places = self._places()
        return self._shown(places[-1]) if places else self.alone

    def culprits(self, features: Sequence[int]) -> dict[int, SourceEvent]:
        """For each of the features a hidden row that moves it, as far as there is one and it was sought."""
        places = self._places() if features else []
        found: dict[int, SourceEvent] = {}
        changed = self._moved(self.with_all()) if places else []
        left = [feature for feature in features if feature in changed]
        for _ in range(CULPRITS):
            if not left:
                break
            number = self._first(places, left[0])
            before = self._shown(places[number - 1]) if number else self.alone
            here = moved(before, self._shown(places[number]))
            found |= {feature: places[number].event for feature in left if feature in here}
            left = [feature for feature in left if feature not in here]
        return found

    def _first(self, places: Sequence[_Place], feature: int) -> int:
        """The number of a row with which the feature is not what it is alone, and without which it still is."""
        low, high = -1, len(places) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if feature in self._moved(self._shown(places[middle])):
                high = middle
            else:
                low = middle
        return high

    def _moved(self, values: Cells) -> list[int]:
        return moved(self.alone, values)

    def _shown(self, last: _Place) -> Cells:
        """The row's values with the hidden rows up to ``last``."""
        if last not in self._values:
            sources = dict(self.seen)
            for name, rows in self.hidden.items():
                source = self.seen[name]
                shown = rows.where(_is_up_to(name, source, last))
                sources[name] = Source(source.rows.unionByName(shown), source.key)
            self._values[last] = self.subject.of(self.subject.values(self.spine, sources), self.row_id)
        return self._values[last]

    def _places(self) -> list[_Place]:
        if self._order is None:
            frames = [self._listed(name, rows) for name, rows in self.hidden.items()]
            self._order = []
            if frames:
                order = (F.asc_nulls_last("known"), "source", "id")
                listed = reduce(DataFrame.unionByName, frames).orderBy(*order).limit(LOOKED_AT)
                self._order += [_Place(*row) for row in listed.collect()]
        return self._order

    def _listed(self, name: str, rows: DataFrame) -> DataFrame:
        row_id = F.coalesce(self.seen[name].row_id, F.lit(""))
        known, at = F.unix_micros("known_at"), F.unix_micros("event_at")
        return rows.select(
            known.alias("known"), F.lit(name).alias("source"), row_id.alias("id"), at.alias("at")
        )


def _is_up_to(name: str, source: Source, last: _Place) -> Column:
    """Whether a row of the source stands at ``last`` or before it."""
    known, row_id = F.unix_micros("known_at"), F.coalesce(source.row_id, F.lit(""))
    is_in_turn = row_id <= F.lit(last.id) if name == last.source else F.lit(name < last.source)
    if last.known is None:
        return known.isNotNull() | is_in_turn
    return (known < F.lit(last.known)) | ((known == F.lit(last.known)) & is_in_turn)
