"""The proofs that build features again: from the past alone, and with absurd rows at and after each row's instant.

One rebuild shows all of it at once. Only where a value moves are the proofs made one by one, and for a few of the
rows that moved the source row is sought with everything else as it was, so that nothing is told that is not so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import DataFrame

from features.prove.canaries import plots_of
from features.prove.described import Described
from features.prove.one_by_one import OneByOne
from features.prove.relation import check_sources
from features.prove.report import CANARY, TIE, TRUNCATION, Made, Proof, Report
from features.prove.sample import Sampled
from features.prove.subject import Subject, Values
from features.source import Source

REBUILT: tuple[Proof, ...] = (TRUNCATION, CANARY, TIE)
# What is planted for one row can be the past of another that a link leads to: what moved is tried again by itself, as
# long as that clears some of it, and so many times at most.
TRIES = 4


def prove(
    subject: Subject,
    spine: DataFrame,
    sources: Mapping[str, Source],
    sample: Sequence[Sampled],
    *,
    stored: Values | None = None,
    labels: Collection[str] = (),
) -> Report:
    """Prove a function that builds features on given rows.

    Args:
        spine: the sampled rows, and no others.
        stored: the values of a finished table, to be proved instead of those that the function gives now.
        labels: the sources of label events.

    Raises:
        SchemaError: a source or a column is absent.
    """
    check_sources(sources, subject.relations)
    if not sample:
        return Report(tuple(Made(proof=proof, why_not="there are no rows") for proof in REBUILT))
    values = subject.values(spine, sources) if stored is None else stored
    described = Described(subject, spine, sources, sample, plots_of(subject, spine, sources))
    suspects = described.suspects(values)
    for _ in range(TRIES - 1):
        if not 0 < len(suspects) < len(described.sample):
            break
        described = described.of(suspects)
        suspects = described.suspects(values)
    if not suspects:
        return Report(tuple(Made(proof=proof, rows=len(sample)) for proof in REBUILT))
    apart = OneByOne(described.of(suspects), labels)
    found = apart.report(len(sample) - len(suspects))
    return found if stored is None else found + apart.unlike(stored)
