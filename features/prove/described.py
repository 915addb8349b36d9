"""Rows under proof: as they are from all sources, and where their future is withheld and another is planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame

from features.prove.brought import brought
from features.prove.canaries import Canaries, plant
from features.prove.past import own_past
from features.prove.plot import Plot
from features.prove.sample import Sampled, only
from features.prove.subject import Subject, Values, differing
from features.source import Source


@dataclass(frozen=True, slots=True)
class Described:
    """Some rows of a spine.

    Attributes:
        spine: the sampled rows, and no others.
        plots: the sources as places to plant in.
    """

    subject: Subject
    spine: DataFrame
    sources: Mapping[str, Source]
    sample: Sequence[Sampled]
    plots: Mapping[str, Plot]

    def of(self, sample: Sequence[Sampled]) -> Described:
        """Some of these rows."""
        spine = only(self.spine, self.subject.row, [one.row_id for one in sample])
        return replace(self, spine=spine, sample=sample)

    def whole(self) -> Values:
        """Their values from all sources."""
        return self.subject.values(self.spine, self.sources)

    def alone(self) -> dict[str, Source]:
        """Sources in which each row has no future."""
        return own_past(self.sources, self.spine, self.sample, self.subject.relations)

    def planted(self) -> tuple[Canaries, Canaries]:
        """Absurd rows after each row's instant, and of it."""
        return plant(self.plots, self.sample)

    def suspects(self, values: Values) -> list[Sampled]:
        """The rows that move where all of their future is withheld, and absurd rows are planted in its place."""
        later, same = self.planted()
        hostile = self.subject.values(self.spine, brought(later.among(same.among(self.alone()))))
        return [one for one, _ in differing(self.subject, self.sample, values, hostile)]
