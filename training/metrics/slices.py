"""Where a model is worse: the same threshold and the same ranking, one value of a slice at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.metrics.day_blocks import day_codes, draw_days
from training.metrics.estimate import Estimate, MetricDraws
from training.metrics.predictions import Predictions
from training.metrics.ranking import ROUNDING, ranking_draws
from training.metrics.settings import EvaluationSettings

MISSING = "missing"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class SliceResult:
    """One value of one slice.

    ``recall`` and ``false_positive_rate`` are at the threshold that alerts the configured share of *all*
    rows; ``average_precision`` ranks the rows of this value among themselves.
    """

    slice_name: str
    value: str
    rows: int
    frauds: int
    average_precision: Estimate
    recall: Estimate
    false_positive_rate: Estimate


def evaluate_slices(predictions: Predictions, settings: EvaluationSettings) -> list[SliceResult]:
    """Measure each value of each slice, most frequent first, then ``other``; nulls are ``missing``."""
    alerted = predictions.score >= alert_threshold(predictions, settings.alert_share)
    found = []
    for name, column in predictions.slices.items():
        labels = _labels(column, settings.slice_values)
        counts = Counter(labels.tolist())
        for value in sorted(counts, key=lambda label: (label == OTHER, -counts[label], label)):
            inside = labels == value
            found.append(_measure((name, value), predictions.take(inside), alerted[inside], settings))
    return found


def alert_threshold(predictions: Predictions, share: float) -> float:
    """Return the lowest score whose alerts (scores at or above it) are at most ``share`` of the rows.

    Infinity where even the highest score is shared by more rows than that, or where there are no rows.
    """
    scores, counts = np.unique(predictions.score, return_counts=True)
    alerts = np.cumsum(counts[::-1])[::-1]
    allowed = scores[alerts <= share * len(predictions) + ROUNDING]
    return float(allowed[0]) if len(allowed) else float("inf")


def _measure(
    key: tuple[str, str], rows: Predictions, alerted: NDArray[np.bool_], settings: EvaluationSettings
) -> SliceResult:
    codes, days = day_codes(rows)
    weights = draw_days(days, draws=settings.draws, seed=settings.seed)

    def rate(base: NDArray[np.bool_], reason: str) -> Estimate:
        hits = np.bincount(codes, base & alerted, minlength=days) @ weights
        whole = np.bincount(codes, base, minlength=days) @ weights
        share = np.divide(hits, whole, out=np.full(len(whole), np.nan), where=whole > 0)
        return Estimate.of(MetricDraws(share, reason), days=days, confidence=settings.confidence)

    ranked = ranking_draws(rows, weights, settings)["average_precision"]
    return SliceResult(
        slice_name=key[0],
        value=key[1],
        rows=len(rows),
        frauds=rows.fraud_count,
        average_precision=Estimate.of(ranked, days=days, confidence=settings.confidence),
        recall=rate(rows.is_fraud, f"no fraud among {len(rows)} rows"),
        false_positive_rate=rate(~rows.is_fraud, f"all {len(rows)} rows are fraud"),
    )


def _labels(column: NDArray[np.object_], limit: int) -> NDArray[np.object_]:
    texts = [MISSING if value is None else str(value) for value in column.tolist()]
    kept = {
        value for value, _ in sorted(Counter(texts).items(), key=lambda item: (-item[1], item[0]))[:limit]
    }
    labels = np.empty(len(texts), dtype=np.object_)
    labels[:] = [text if text in kept else OTHER for text in texts]
    return labels
