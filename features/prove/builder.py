"""Any function that builds features put to the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from features.prove.embargo import embargo
from features.prove.labelled import labelled
from features.prove.rebuild import prove
from features.prove.relation import Relation, check_sources
from features.prove.report import EMBARGO, SUSPICION, Made, Report
from features.prove.sample import choose, only
from features.prove.settings import ProofSettings
from features.prove.subject import Build, Subject
from features.prove.suspicion import living_on_news, too_good
from features.prove.target import Target
from features.source import Source
from features.view import AS_OF


def prove_builder(
    build: Build,
    spine: DataFrame,
    sources: Mapping[str, Source],
    *,
    row: str,
    features: Sequence[str],
    relations: Sequence[Relation],
    target: Target | None = None,
    settings: ProofSettings | None = None,
) -> Report:
    """Prove a function that builds features, on a sample of its spine.

    Args:
        build: gives a row for each row of the spine. What a row brings itself stands in the spine. Values are compared
            to the last bit, so floating-point sums must not depend on the order of rows.
        spine: ``as_of``, the row id in column ``row``, keys, and whatever the function reads.
        features: the columns to prove.
        relations: which source rows belong to a spine row; ``relations_by_name`` gives the usual ones.
        target: what the features are to foretell; without it there is no embargo and no suspicion.

    Raises:
        SchemaError: a source or a column is absent.
    """
    check_sources(sources, relations)
    limits = settings or ProofSettings()
    subject = Subject(build=build, row=row, features=tuple(features), relations=relations)
    sample = choose(spine, row, relations, limits.rows)
    described = only(spine, row, [one.row_id for one in sample])
    labels = {label.source for label in target.labels} if target else set()
    report = prove(subject, described, sources, sample, labels=labels)
    if target is None:
        return report + Report(
            (Made(proof=EMBARGO, why_not="no label"), Made(proof=SUSPICION, why_not="no label"))
        )
    built = build(spine, sources).select(row, *features).join(spine.select(row, AS_OF), on=row, how="inner")
    drawn = labelled(built, row, features, target)
    report += embargo(spine, row, target) + too_good(drawn, limits)
    few = drawn.first(limits.rows, limits.rows)
    return report + living_on_news(few, subject, only(spine, row, few.ids), sources, limits)
