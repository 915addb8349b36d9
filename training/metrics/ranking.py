"""Metrics of the order of scores, on every bootstrap draw at once.

Only the scores of frauds are thresholds at which recall moves, so a period is reduced to counts per (such
threshold, day). A draw is then a weighting of days, and all draws are one matrix product: no row is sorted
or copied twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.metrics.day_blocks import day_codes
from training.metrics.estimate import MetricDraws
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings

Matrix = NDArray[np.float64]
CELLS_AT_ONCE = 4_000_000
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class RankCounts:
    """Counts per (threshold, day): rows, frauds and their money that reach the threshold, rows above it.

    Thresholds are the distinct scores of frauds, highest first. No fraud gives no thresholds.
    """

    reaching: Matrix
    above: Matrix
    frauds: Matrix
    money: Matrix
    rows_per_day: Matrix


@dataclass(frozen=True, slots=True)
class DrawnCounts:
    """The same counts summed over the days of some draws: shape (thresholds, draws), totals (draws,)."""

    reaching: Matrix
    above: Matrix
    frauds: Matrix
    money: Matrix
    rows: Matrix

    @property
    def total_frauds(self) -> Matrix:
        return np.asarray(self.frauds[-1])

    @property
    def total_legitimate(self) -> Matrix:
        return np.asarray(self.rows - self.frauds[-1])

    @property
    def new_frauds(self) -> Matrix:
        return np.diff(self.frauds, axis=0, prepend=0)


def count_ranks(predictions: Predictions) -> RankCounts:
    """Reduce a period to counts per (threshold, day)."""
    codes, days = day_codes(predictions)
    thresholds = np.unique(predictions.score[predictions.is_fraud])[::-1]
    shape = (len(thresholds), days)
    reaching, above, frauds, money = (np.zeros(shape) for _ in range(4))
    amounts = np.zeros(len(predictions)) if predictions.amount_usd is None else predictions.amount_usd
    for day in range(days):
        today = codes == day
        scores = np.sort(predictions.score[today])
        reaching[:, day] = len(scores) - np.searchsorted(scores, thresholds, side="left")
        above[:, day] = len(scores) - np.searchsorted(scores, thresholds, side="right")
        bad = today & predictions.is_fraud
        order = np.argsort(predictions.score[bad])
        first = np.searchsorted(predictions.score[bad][order], thresholds, side="left")
        frauds[:, day] = len(order) - first
        money[:, day] = np.append(np.cumsum(amounts[bad][order][::-1])[::-1], 0.0)[first]
    return RankCounts(reaching, above, frauds, money, np.bincount(codes, minlength=days).astype(np.float64))


def average_precision(counts: DrawnCounts) -> Matrix:
    """Sum over thresholds of precision times the recall gained there; tied scores are one threshold."""
    precision = _ratio(counts.frauds, counts.reaching, empty=0.0)
    return _ratio((counts.new_frauds * precision).sum(axis=0), counts.total_frauds)


def roc_auc(counts: DrawnCounts) -> Matrix:
    """Share of (fraud, legitimate) pairs in the right order; a tie is half right."""
    reaching = counts.reaching - counts.frauds
    above = counts.above - (counts.frauds - counts.new_frauds)
    wrong = (counts.new_frauds * (reaching + above) / 2).sum(axis=0)
    return 1 - _ratio(wrong, counts.total_frauds * counts.total_legitimate)


def recall_at_fpr(counts: DrawnCounts, limit: float) -> Matrix:
    """Largest share of frauds reached by a threshold that alerts at most ``limit`` of the legitimate rows."""
    allowed = counts.reaching - counts.frauds <= limit * counts.total_legitimate + ROUNDING
    caught = np.where(allowed, counts.frauds, 0).max(axis=0)
    return np.where(counts.total_legitimate > 0, _ratio(caught, counts.total_frauds), np.nan)


def value_detection(counts: DrawnCounts, share: float) -> Matrix:
    """Share of frauds' money reached by the lowest threshold that alerts at most ``share`` of all rows."""
    allowed = counts.reaching <= share * counts.rows + ROUNDING
    return _ratio(np.where(allowed, counts.money, 0).max(axis=0), counts.money[-1])


def ranking_draws(
    predictions: Predictions, weights: Matrix, settings: EvaluationSettings
) -> dict[str, MetricDraws]:
    """Measure every ranking metric on the period (column 0 of ``weights``) and on each draw of days."""
    names = ["roc_auc", "average_precision", *(recall_name(x) for x in settings.fpr_limits)]
    names.append(value_name(settings.alert_share))
    drawn = {name: np.full(weights.shape[1], np.nan) for name in names}
    counts = count_ranks(predictions)
    for part in _parts(weights.shape[1], len(counts.reaching)):
        block = _weigh(counts, weights[:, part])
        drawn["roc_auc"][part] = roc_auc(block)
        drawn["average_precision"][part] = average_precision(block)
        for limit in settings.fpr_limits:
            drawn[recall_name(limit)][part] = recall_at_fpr(block, limit)
        drawn[value_name(settings.alert_share)][part] = value_detection(block, settings.alert_share)
    reasons = dict.fromkeys(names, why_unranked(predictions))
    reasons["average_precision"] = why_no_fraud(predictions)
    reasons[value_name(settings.alert_share)] = why_no_money(predictions)
    return {name: MetricDraws(values, reasons[name]) for name, values in drawn.items()}


def recall_name(limit: float) -> str:
    """Name of recall at a false-positive rate: 0.001 gives ``recall_at_0_1pct_fpr``."""
    return f"recall_at_{percent(limit)}_fpr"


def value_name(share: float) -> str:
    """Name of the value detection rate at a share of rows: ``value_detection_at_1pct_alerts``."""
    return f"value_detection_at_{percent(share)}_alerts"


def percent(share: float) -> str:
    """A share as part of a metric's name: 0.001 gives ``0_1pct``."""
    return f"{100 * share:g}pct".replace(".", "_")


def why_no_fraud(predictions: Predictions) -> str:
    """Say why recall is undefined; empty where the period holds fraud."""
    return "" if predictions.fraud_count else f"no fraud among {len(predictions)} rows"


def why_unranked(predictions: Predictions) -> str:
    """Say why order is undefined; empty where both classes are present."""
    if predictions.fraud_count and predictions.fraud_count == len(predictions):
        return f"all {len(predictions)} rows are fraud"
    return why_no_fraud(predictions)


def why_no_money(predictions: Predictions) -> str:
    """Say why value detection is undefined; empty where frauds have amounts."""
    if predictions.amount_usd is None:
        return "no amount_usd given"
    return why_no_fraud(predictions) or "the frauds' amounts sum to 0"


def _weigh(counts: RankCounts, weights: Matrix) -> DrawnCounts:
    return DrawnCounts(
        reaching=counts.reaching @ weights,
        above=counts.above @ weights,
        frauds=counts.frauds @ weights,
        money=counts.money @ weights,
        rows=counts.rows_per_day @ weights,
    )


def _parts(draws: int, thresholds: int) -> Iterator[slice]:
    if thresholds == 0:
        return
    width = max(1, CELLS_AT_ONCE // thresholds)
    for start in range(0, draws, width):
        yield slice(start, start + width)


def _ratio(part: Matrix, whole: Matrix, *, empty: float = np.nan) -> Matrix:
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), empty), where=whole > 0))


def precision_recall(predictions: Predictions) -> tuple[Matrix, Matrix]:
    """Return precision and recall at each distinct score of a fraud, highest first; no fraud gives none."""
    counts = count_ranks(predictions)
    frauds = counts.frauds.sum(axis=1)
    return frauds / counts.reaching.sum(axis=1), frauds / max(predictions.fraud_count, 1)
