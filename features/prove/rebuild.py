"""The proofs that build features again: from the past alone, and with absurd rows at and after each row's instant.

One rebuild shows all of it at once. Only where a value moves are the proofs made one by one, and for a few of the
rows that moved the source row is sought with everything else as it was, so that nothing is told that is not so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from features.prove.canaries import plant
from features.prove.one_by_one import OneByOne
from features.prove.past import own_past
from features.prove.relation import Relation, check_sources
from features.prove.report import CANARY, TIE, TRUNCATION, Made, Proof, Report
from features.prove.sample import Sampled, choose, only
from features.prove.subject import Build, Subject, Values, differing
from features.source import Source

REBUILT: tuple[Proof, ...] = (TRUNCATION, CANARY, TIE)
SIZE = 200
# What is planted for one row can be the past of another that a link leads to: those that moved are tried again alone.
ROUNDS = 3


def prove_builder(
    build: Build,
    spine: DataFrame,
    sources: Mapping[str, Source],
    *,
    row: str,
    features: Sequence[str],
    relations: Sequence[Relation],
    labels: str | None = None,
    size: int = SIZE,
) -> Report:
    """Prove any function that builds features, on at most ``size`` rows of its spine.

    Args:
        build: gives a row for each row of the spine. What a row brings itself stands in the spine.
        spine: ``as_of``, the row id in column ``row``, keys, and whatever the function reads.
        relations: which source rows belong to a spine row; ``relations_by_name`` gives the usual ones.
        labels: the source of label events; what leaks from it is told as a breach of the embargo.

    Raises:
        SchemaError: a source or a column is absent.
    """
    check_sources(sources, relations)
    sample = choose(spine, row, relations, size)
    subject = Subject(build=build, row=row, features=tuple(features), relations=relations)
    sampled = only(spine, row, [one.row_id for one in sample])
    return prove(subject, sampled, sources, sample, labels=labels)


def prove(
    subject: Subject,
    spine: DataFrame,
    sources: Mapping[str, Source],
    sample: Sequence[Sampled],
    *,
    stored: Values | None = None,
    labels: str | None = None,
) -> Report:
    """Prove a function that builds features on given rows.

    Args:
        spine: the sampled rows, and no others.
        stored: the values of a finished table, to be proved instead of those that the function gives now.
        labels: the source of label events, if any.

    Raises:
        SchemaError: a source or a column is absent.
    """
    check_sources(sources, subject.relations)
    if not sample:
        return Report(tuple(Made(proof=proof, why_not="there are no rows") for proof in REBUILT))
    values = subject.values(spine, sources) if stored is None else stored
    suspects: Sequence[Sampled] = sample
    for _ in range(ROUNDS):
        before, suspects = len(suspects), _suspects(subject, spine, sources, suspects, values)
        if not suspects or len(suspects) == before:
            break
    if not suspects:
        return Report(tuple(Made(proof=proof, rows=len(sample)) for proof in REBUILT))
    apart = OneByOne.of(subject, spine, sources, suspects, labels)
    found = apart.report(len(sample) - len(suspects))
    return found if stored is None else found + apart.unlike(stored)


def _suspects(
    subject: Subject,
    spine: DataFrame,
    sources: Mapping[str, Source],
    sample: Sequence[Sampled],
    values: Values,
) -> list[Sampled]:
    """The rows that move where all of their future is withheld, and absurd rows are planted in its place."""
    described = only(spine, subject.row, [one.row_id for one in sample])
    later, same = plant(subject, described, sources, sample)
    hostile = later.among(same.among(own_past(sources, described, sample, subject.relations)))
    return [one for one, _ in differing(subject, sample, values, subject.values(described, hostile))]
