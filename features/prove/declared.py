"""A declared view put to the proof: its own build, and of the sources what the proved rows can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.declare import Calendar, FeatureView, Link
from features.declare.sql_source import logs_of
from features.labels import Label
from features.prove.brought import brought
from features.prove.embargo import embargo, training_embargo
from features.prove.labelled import labelled
from features.prove.rebuild import REBUILT, prove
from features.prove.relation import Relation, check_sources, relations_of
from features.prove.report import EMBARGO, SUSPICION, Made, Report
from features.prove.sample import Sampled, choose, only, sampled_of
from features.prove.settings import ProofSettings
from features.prove.subject import Subject, values_of
from features.prove.suspicion import living_on_news, too_good
from features.prove.target import Target
from features.source import Source
from features.view import AS_OF, build_view, spine_rows
from lake.contracts import REVISION

# A few hundred rows and what is theirs: more tasks would cost more than they save.
_TASKS = 2


@dataclass(frozen=True, kw_only=True)
class ViewProofs:
    """The proofs of a view's finished table.

    Attributes:
        rows: rows of the table: ``as_of``, row id, keys, features.
        sources: events by log name: of the view, and of the labels.
        labels: what the features are to foretell; none leave the proofs by label out.
        known_before: labels known before this are used.
    """

    view: FeatureView
    rows: DataFrame
    sources: Mapping[str, Source]
    labels: tuple[Label, ...]
    known_before: datetime
    settings: ProofSettings

    def before_training(self) -> Report:
        """The quick proofs, of rows to train on."""
        target = self._target
        if target is None:
            return self.rebuilt()
        return self.rebuilt() + training_embargo(self.rows, self._row, target) + self._too_good(target)

    def full(self) -> Report:
        """Every proof, and which features live on news.

        Raises:
            SchemaError: a source is absent.
        """
        return self.rebuilt() + self.of_label() + self.of_news()

    def rebuilt(self) -> Report:
        """Truncation, canary and tie: features of a sample built again, and held against the table."""
        check_sources(self.sources, self._relations)
        if self.settings.rows == 0:
            return Report(tuple(Made(proof=proof, why_not="training.proof.rows is 0") for proof in REBUILT))
        sample = choose(self.rows, self._row, self._relations, self.settings.rows)
        ids = [one.row_id for one in sample]
        stored = values_of(only(self.rows, self._row, ids), self._row, self.view.features)
        spine = self._spine(ids)
        # Keys as the sources have them: the table holds the row's id as text.
        sample = sampled_of(spine, self._row, self._relations)
        sources = brought(narrowed(self.sources, self._relations, self.view, sample))
        logs = {label.source for label in self.labels}
        return prove(self._subject, spine, sources, sample, stored=stored, labels=logs)

    def of_label(self) -> Report:
        """Embargo, and features that foretell too well."""
        target = self._target
        if target is None:
            why_not = f"no model says what {self.view.name} is to foretell"
            return Report(tuple(Made(proof=proof, why_not=why_not) for proof in (EMBARGO, SUSPICION)))
        return embargo(self.rows, self._row, target) + self._too_good(target)

    def of_news(self) -> Report:
        """Features that tell much less when their sources are known later."""
        target, size = self._target, self.settings.rows
        if target is None or size == 0:
            return Report()
        drawn = labelled(self.rows, self._row, self.view.features, target).first(size, size)
        spine = self._spine(drawn.ids)
        sample = sampled_of(spine, self._row, self._relations)
        sources = brought(narrowed(self.sources, self._relations, self.view, sample))
        return living_on_news(drawn, self._subject, spine, sources, self.settings)

    @property
    def _row(self) -> str:
        return self.view.spine.row

    @cached_property
    def _relations(self) -> list[Relation]:
        return relations_of(self.view, self.labels)

    @property
    def _subject(self) -> Subject:
        def build(spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
            return build_view(self.view, spine, sources, tasks=_TASKS)

        return Subject(build=build, row=self._row, features=self.view.features, relations=self._relations)

    @property
    def _target(self) -> Target | None:
        return Target(self.labels, self.sources, self.known_before) if self.labels else None

    def _too_good(self, target: Target) -> Report:
        return too_good(labelled(self.rows, self._row, self.view.features, target), self.settings)

    def _spine(self, ids: Sequence[str]) -> DataFrame:
        if isinstance(self.view.spine.as_of, Calendar):
            # Such a row is a key and an instant, and the table has both.
            return only(self.rows, self._row, ids).select(AS_OF, self._row, *self.view.keys)
        source = self.sources[self.view.spine.source]
        # A row's own columns are used as they were first known.
        rows = source.rows.where(F.col(REVISION).isNull()) if source.is_revised else source.rows
        return only(spine_rows(self.view, rows), self._row, ids)


def narrowed(
    sources: Mapping[str, Source],
    relations: Sequence[Relation],
    view: FeatureView,
    sample: Sequence[Sampled],
) -> dict[str, Source]:
    """Only the source rows that hold a key of a proved row: the engine lets no others near it.

    Rows that reach a proved row through a link or a query need hold none, nor need rates: those logs stay whole.
    """
    whole = {log for query in view.queries for log in query.logs}
    whole |= {
        log for group in view.groups if isinstance(group.source, Link) for log in logs_of(group.source.source)
    }
    whole |= {log for one in view.spine.converted for log in one.rates.logs}
    holding: dict[str, list[Column]] = {}
    for relation in relations:
        if relation.keys:
            values = {one.keys[relation.keys[0]] for one in sample} - {None}
            holding.setdefault(relation.source, []).append(F.col(relation.columns[0]).isin(list(values)))
    return {
        name: source
        if name in whole or name not in holding
        else Source(source.rows.where(reduce(or_, holding[name])), source.key)
        for name, source in sources.items()
    }
