"""What is known of a row by an instant: its labels as they stand then, what follows from them, and in what state it is.

Labels lie beside their row as an array, and every question is a column function of it, so that one stored frame answers
for any instant before the one it was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.label_events import CONFIDENCE, KNOWN_AT, ROW, SOURCE, TYPOLOGY, VERDICT, WITHDRAWN_AT
from features.labels import Label, Verdict, matures_after, silence_acquits

LABELS = "labels"
LABELS_TYPE = (
    "array<struct<known_at:timestamp,withdrawn_at:timestamp,source:string,verdict:string,typology:string,"
    "confidence:double>>"
)
OPEN, MATURED, OVERTURNED = "open", "matured", "overturned"
STATES = (MATURED, OVERTURNED, OPEN, str(Verdict.CENSORED), str(Verdict.CONTRADICTED))
_OF_LABEL = (KNOWN_AT, WITHDRAWN_AT, SOURCE, VERDICT, TYPOLOGY, CONFIDENCE)


def labels_of_rows(events: DataFrame, as_of: datetime) -> DataFrame:
    """One row per labelled row: ``row``, and ``labels``, what was known of it before ``as_of``, in order.

    Args:
        events: as ``label_events`` gives them.
    """
    before = F.lit(as_of)
    known = events.where(F.col(KNOWN_AT) < before)
    # That a label will be withdrawn is not known yet.
    seen = known.withColumn(WITHDRAWN_AT, F.when(F.col(WITHDRAWN_AT) < before, F.col(WITHDRAWN_AT)))
    told = F.sort_array(F.collect_list(F.struct(*_OF_LABEL)))
    return seen.groupBy(ROW).agg(told.cast(LABELS_TYPE).alias(LABELS))


def verdict(labels: Column, as_of: Column, of: Sequence[Label], before: Column) -> Column:
    """``fraud`` or ``not fraud``, as known before an instant; null where it is not known.

    Fraud is what any source says is fraud. Not fraud is what one clears, and what has matured while nothing was said.

    Args:
        labels: of the row, as ``labels_of_rows`` gives them, or null.
        as_of: the instant the row describes.
    """
    return _let(_said(labels, of, before), lambda said: _final(said, as_of, of, before))


def state(labels: Column, as_of: Column, of: Sequence[Label], before: Column) -> Column:
    """How it stands with the row's label: one of ``STATES``, ``matured`` or ``overturned`` where there is a verdict.

    ``overturned`` is a row that was called fraud and no longer is.
    """
    accused = F.exists(labels, lambda label: (label[KNOWN_AT] < before) & _says(label, Verdict.FRAUD))

    def found(said: Column, final: Column) -> Column:
        cleared = (final == str(Verdict.NOT_FRAUD)) & F.coalesce(accused, F.lit(False))
        undecided = said.isin(str(Verdict.CENSORED), str(Verdict.CONTRADICTED))
        return (
            F.when(cleared, OVERTURNED).when(final.isNotNull(), MATURED).when(undecided, said).otherwise(OPEN)
        )

    return _let(
        _said(labels, of, before),
        lambda said: _let(_final(said, as_of, of, before), lambda final: found(said, final)),
    )


def confidence(labels: Column, verdict_of_row: Column, before: Column) -> Column:
    """How sure the surest label is that says what the verdict does; 1 where the verdict follows from silence."""
    agreeing = F.filter(_standing(labels, before), lambda label: label[VERDICT] == verdict_of_row)
    return F.coalesce(F.array_max(F.transform(agreeing, lambda label: label[CONFIDENCE])), F.lit(1.0))


def fraud_since(labels: Column, of: Sequence[Label], before: Column) -> Column:
    """When the first of the labels that stand and say fraud was known; null where the row is not called fraud."""
    frauds = F.filter(_standing(labels, before), lambda label: _says(label, Verdict.FRAUD))
    first = F.array_min(F.transform(frauds, lambda label: label[KNOWN_AT]))
    return F.when(_said(labels, of, before) == str(Verdict.FRAUD), first)


def _final(said: Column, as_of: Column, of: Sequence[Label], before: Column) -> Column:
    acquitted = said.isNull() & _is_mature(as_of, of, before) & F.lit(silence_acquits(of))
    decided = F.when(said.isin(str(Verdict.FRAUD), str(Verdict.NOT_FRAUD)), said)
    return F.coalesce(decided, F.when(acquitted, F.lit(str(Verdict.NOT_FRAUD))))


def _said(labels: Column, of: Sequence[Label], before: Column) -> Column:
    """What the labels that stand say together; null where they say nothing."""

    def together(answers: Column) -> Column:
        order = Verdict.FRAUD, Verdict.CONTRADICTED, Verdict.NOT_FRAUD, Verdict.CENSORED
        return F.coalesce(*(F.when(F.array_contains(answers, str(one)), F.lit(str(one))) for one in order))

    def of_sources(standing: Column) -> Column:
        return _let(F.array(*(_last_told(standing, label.source) for label in of)), together)

    # Most rows have no label.
    return F.when(F.size(labels) > 0, _let(_standing(labels, before), of_sources))


def _last_told(standing: Column, source: str) -> Column:
    def only(verdicts: Column) -> Column:
        one = F.when(F.size(verdicts) == 1, F.get(verdicts, F.lit(0)))
        return one.when(F.size(verdicts) > 1, F.lit(str(Verdict.CONTRADICTED)))

    def of_newest(theirs: Column, newest: Column) -> Column:
        told = F.filter(theirs, lambda label: _weight(label) == newest)
        return _let(F.array_distinct(F.transform(told, lambda label: label[VERDICT])), only)

    return _let(
        F.filter(standing, lambda label: label[SOURCE] == source),
        lambda theirs: _let(
            F.array_max(F.transform(theirs, _weight)), lambda newest: of_newest(theirs, newest)
        ),
    )


def _let(value: Column, use: Callable[[Column], Column]) -> Column:
    """An expression of a value that is computed once, however often it is used."""
    return F.get(F.transform(F.array(value), use), F.lit(0))


def _standing(labels: Column, before: Column) -> Column:
    return F.filter(
        labels,
        lambda label: (
            (label[KNOWN_AT] < before) & (label[WITHDRAWN_AT].isNull() | (label[WITHDRAWN_AT] >= before))
        ),
    )


def _weight(label: Column) -> Column:
    return F.struct(label[KNOWN_AT].alias("known_at"), label[CONFIDENCE].alias("confidence"))


def _says(label: Column, what: Verdict) -> Column:
    return label[VERDICT] == str(what)


def _is_mature(as_of: Column, of: Sequence[Label], before: Column) -> Column:
    span = matures_after(of)
    micros = (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
    return F.unix_micros(as_of) < F.unix_micros(before) - micros
