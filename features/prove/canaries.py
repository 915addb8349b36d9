"""Absurd rows planted at a described row's instant or after it: they carry its keys, and nothing it has may move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from pyspark.sql import DataFrame

from features.prove.patterns import patterns
from features.prove.plot import Cells, Plot, Times
from features.prove.revised import last_rows
from features.prove.sample import Sampled
from features.prove.subject import Subject
from features.source import Source

_NONE, _MICROSECOND = timedelta(0), timedelta(microseconds=1)
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

AFTER: Times = (
    (_MICROSECOND, _MICROSECOND),
    (_MINUTE, _MINUTE),
    (_DAY, _DAY),
    (-_HOUR, _MICROSECOND),  # late: it happened in the past
    (-_MINUTE, _DAY),
)
SAME_INSTANT: Times = (
    (_NONE, _NONE),
    (-_HOUR, _NONE),
    (_NONE, -_MICROSECOND),  # told by a clock that is fast
)


@dataclass(frozen=True, slots=True)
class Canaries:
    """Planted rows, by source and by the described row they are planted for."""

    plots: Mapping[str, Plot]
    cells: Mapping[str, Mapping[str, Sequence[Cells]]]

    def among(self, sources: Mapping[str, Source]) -> dict[str, Source]:
        """The sources with every planted row."""
        found = dict(sources)
        for name, by_row in self.cells.items():
            cells = [one for own in by_row.values() for one in own]
            if cells:
                rows = sources[name].rows.unionByName(self._frame(name, cells))
                found[name] = Source(rows, sources[name].key)
        return found

    def planted_for(self, row_id: str) -> dict[str, DataFrame]:
        """The rows planted for one described row, by source."""
        own = {name: by_row[row_id] for name, by_row in self.cells.items()}
        return {name: self._frame(name, cells) for name, cells in own.items() if cells}

    def _frame(self, name: str, cells: Sequence[Cells]) -> DataFrame:
        plot = self.plots[name]
        return plot.source.rows.sparkSession.createDataFrame(list(cells), plot.schema)


def plots_of(subject: Subject, spine: DataFrame, sources: Mapping[str, Source]) -> dict[str, Plot]:
    """Every source as a place to plant in, for the rows of a spine."""
    found = {}
    for name, source in sources.items():
        own = [relation for relation in subject.relations if relation.source == name]
        keyed = [relation for relation in own if relation.keys]
        last = last_rows(source, spine, subject.row, keyed) if source.is_revised else {}
        found[name] = Plot(source, own, patterns(source), last)
    return found


def plant(plots: Mapping[str, Plot], sample: Sequence[Sampled]) -> tuple[Canaries, Canaries]:
    """Rows that come after each described row, and rows of its very instant, in every source."""
    numbers = count(1)
    return _planted(plots, sample, AFTER, numbers), _planted(plots, sample, SAME_INSTANT, numbers)


def _planted(
    plots: Mapping[str, Plot], sample: Sequence[Sampled], times: Times, numbers: Iterator[int]
) -> Canaries:
    last = max(sample, key=lambda one: one.as_of)
    cells = {
        name: {one.row_id: plot.planted(one, times, numbers, is_last=one is last) for one in sample}
        for name, plot in plots.items()
    }
    return Canaries(plots, cells)
