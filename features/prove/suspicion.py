"""Features that are too good to be true: some leaks obey the clock, and nothing else shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
from pyspark.sql import DataFrame

from features.prove.labelled import Labelled
from features.prove.past import lagged
from features.prove.report import SUSPICION, Finding, Made, Report
from features.prove.settings import ProofSettings
from features.prove.subject import Subject
from features.source import Source

_TOO_GOOD = (
    "No honest feature foretells so well: look whether it is made from the label or from what follows it, "
    "and leave it out, or name it in training.proof.trusted"
)
_NEWS = (
    "A window about as short as the lag has to fall; any other feature lives on news: ask when its source is "
    "really known, and say so in its contract"
)


def too_good(rows: Labelled, settings: ProofSettings) -> Report:
    """Features that alone tell frauds from other rows better than is believable; a leak each, unless trusted."""
    lacking = _too_few(rows, settings)
    if lacking:
        return Report((Made(proof=SUSPICION, why_not=lacking),))
    findings = []
    for place, feature in enumerate(rows.features):
        measured = rows.auc_of(place)
        if measured > settings.max_auc and feature not in settings.trusted:
            limit = f"an AUC of at most {settings.max_auc:g}"
            findings.append(_finding(rows, place, limit, f"{measured:.3f}", _TOO_GOOD, is_leak=True))
    return Report((Made(proof=SUSPICION, rows=len(rows.ids)),), tuple(findings))


def living_on_news(
    rows: Labelled,
    subject: Subject,
    spine: DataFrame,
    sources: Mapping[str, Source],
    settings: ProofSettings,
) -> Report:
    """Features that tell much less when every source row is known a little later; worth a look, and no leak by itself.

    Args:
        spine: the labelled rows, and no others.
    """
    if _too_few(rows, settings):
        return Report()
    findings = []
    for lag in settings.lags:
        later = _later(rows, subject, spine, lagged(sources, lag))
        for place, feature in enumerate(rows.features):
            before, after = rows.auc_of(place), later.auc_of(place)
            if before - after > settings.max_fall and feature not in settings.trusted:
                expected = f"an AUC that falls by at most {settings.max_fall:g}, from {before:.3f}"
                found = f"{after:.3f} with all sources known {_words(lag)} later"
                findings.append(_finding(rows, place, expected, found, _NEWS, is_leak=False))
    return Report((), tuple(findings))


def _later(rows: Labelled, subject: Subject, spine: DataFrame, sources: Mapping[str, Source]) -> Labelled:
    values = subject.values(spine, sources)
    places = [subject.features.index(feature) for feature in rows.features]
    cells = [[_number(subject.of(values, row_id)[place]) for place in places] for row_id in rows.ids]
    return replace(rows, values=np.array(cells, dtype=np.float64).reshape(rows.values.shape))


def _too_few(rows: Labelled, settings: ProofSettings) -> str:
    """Why nothing can be suspected; empty where it can."""
    counts = rows.frauds, len(rows.ids) - rows.frauds
    if min(counts) >= settings.frauds:
        return ""
    return (
        f"{counts[0]} frauds and {counts[1]} others have mature labels; {settings.frauds} of each are needed"
    )


def _finding(rows: Labelled, place: int, expected: str, found: str, what: str, *, is_leak: bool) -> Finding:
    number = rows.example(place)
    return Finding(
        proof=SUSPICION,
        feature=rows.features[place],
        row_id=rows.ids[number],
        as_of=rows.instants[number],
        event=None,
        expected=expected,
        found=found,
        what=what,
        is_leak=is_leak,
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | Decimal) else math.nan


def _words(lag: timedelta) -> str:
    return f"{lag / timedelta(hours=1):g} h"
