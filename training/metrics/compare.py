"""Two score sets on the same rows: the paired difference, from the same draws of days for both."""

from __future__ import annotations

import numpy as np

from lake.errors import SchemaError
from training.metrics.day_blocks import day_codes, draw_days
from training.metrics.estimate import Estimate
from training.metrics.evaluate import metric_draws
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings


def compare(candidate: Predictions, other: Predictions, settings: EvaluationSettings) -> dict[str, Estimate]:
    """Measure candidate minus other for every metric, with the interval of the paired difference.

    Raises:
        SchemaError: the two were not computed on the same rows with the same labels.
    """
    other = align(other, candidate)
    _, days = day_codes(candidate)
    weights = draw_days(days, draws=settings.draws, seed=settings.seed)
    mine, theirs = metric_draws(candidate, weights, settings), metric_draws(other, weights, settings)
    return {
        name: Estimate.of(mine[name].minus(theirs[name]), days=days, confidence=settings.confidence)
        for name in mine
    }


def align(other: Predictions, candidate: Predictions) -> Predictions:
    """Return ``other`` in the row order of ``candidate``.

    Raises:
        SchemaError: row ids differ, or a row has another label.
    """
    place = {row: position for position, row in enumerate(other.row_id.tolist())}
    unmatched = sum(row not in place for row in candidate.row_id.tolist())
    if unmatched or len(other) != len(candidate):
        raise SchemaError(
            f"the candidate scored {len(candidate)} rows, the other model {len(other)}, "
            f"and {unmatched} of the candidate's are missing there; score both on the same rows"
        )
    aligned = other.take(np.array([place[row] for row in candidate.row_id.tolist()], dtype=np.int64))
    changed = int(np.count_nonzero(aligned.is_fraud != candidate.is_fraud))
    if changed:
        raise SchemaError(
            f"{changed} rows have another label for the other model; use one set of labels for both"
        )
    return aligned
