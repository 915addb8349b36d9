"""Whether a score of 0.2 means two frauds in ten: Brier, log loss, expected calibration error, base rate.

Bins hold an equal share of the *sum* of scores rather than of rows. With fraud near one percent, equal rows
would put every alert into the last bin, where errors in both directions cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.metrics.day_blocks import day_codes, draw_days
from training.metrics.estimate import Estimate, MetricDraws
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings

Matrix = NDArray[np.float64]
LOG_FLOOR = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One bin of scores: its rows, the mean score in it, and the share that turned out to be fraud."""

    lowest: float
    highest: float
    rows: int
    frauds: int
    mean_score: float
    fraud_rate: Estimate


def calibration_draws(
    predictions: Predictions, weights: Matrix, settings: EvaluationSettings
) -> dict[str, MetricDraws]:
    """Measure brier, log_loss, ece and base_rate on the period and on each draw of days."""
    codes, days = day_codes(predictions)
    score, truth = predictions.score, predictions.is_fraud.astype(np.float64)
    reason = why_uncalibrated(predictions)
    sums = {"base_rate": truth}
    if not reason:
        kept = np.clip(score, LOG_FLOOR, 1 - LOG_FLOOR)
        sums["brier"] = (score - truth) ** 2
        sums["log_loss"] = -(truth * np.log(kept) + (1 - truth) * np.log1p(-kept))
    rows = np.bincount(codes, minlength=days) @ weights
    means = {
        name: _mean(np.bincount(codes, values, minlength=days) @ weights, rows)
        for name, values in sums.items()
    }
    if not reason:
        means["ece"] = _mean(_bin_gaps(predictions, weights, settings.calibration_bins), rows)
    unknown = np.full(weights.shape[1], np.nan)
    drawn = {name: MetricDraws(means.get(name, unknown), reason) for name in ("brier", "ece", "log_loss")}
    return {**drawn, "base_rate": MetricDraws(means["base_rate"], "no rows")}


def calibration_bins(predictions: Predictions, settings: EvaluationSettings) -> list[CalibrationBin]:
    """Return the bins by rising score, each with the interval of its fraud rate; no rows give none."""
    bins = _bin_codes(predictions, settings.calibration_bins)
    codes, days = day_codes(predictions)
    weights = draw_days(days, draws=settings.draws, seed=settings.seed)
    found = []
    for code in np.unique(bins):
        inside = bins == code
        score, truth = predictions.score[inside], predictions.is_fraud[inside]
        frauds = np.bincount(codes[inside], truth, minlength=days) @ weights
        rows = np.bincount(codes[inside], minlength=days) @ weights
        rate = Estimate.of(MetricDraws(_mean(frauds, rows)), days=days, confidence=settings.confidence)
        found.append(
            CalibrationBin(
                lowest=float(score.min()),
                highest=float(score.max()),
                rows=len(score),
                frauds=int(truth.sum()),
                mean_score=float(score.mean()),
                fraud_rate=rate,
            )
        )
    return found


def why_uncalibrated(predictions: Predictions) -> str:
    """Say why calibration is undefined; empty where scores can be probabilities."""
    if len(predictions) == 0:
        return "no rows"
    low, high = float(predictions.score.min()), float(predictions.score.max())
    return "" if low >= 0 and high <= 1 else f"scores span {low:g} to {high:g}, so they are no probabilities"


def _bin_codes(predictions: Predictions, bins: int) -> NDArray[np.int64]:
    """Give each row a bin; tied scores share one, so fewer bins than asked for may come back."""
    ordered = np.sort(predictions.score)
    mass = np.cumsum(ordered)
    if len(ordered) == 0 or mass[-1] <= 0:
        return np.zeros(len(ordered), dtype=np.int64)
    cuts = ordered[np.searchsorted(mass, mass[-1] * np.arange(1, bins) / bins)]
    return np.searchsorted(np.unique(cuts), predictions.score, side="left").astype(np.int64)


def _bin_gaps(predictions: Predictions, weights: Matrix, bins: int) -> Matrix:
    """Sum over bins of |expected frauds - frauds|, per draw."""
    codes, days = day_codes(predictions)
    cells = _bin_codes(predictions, bins) * days + codes
    gap = np.bincount(cells, predictions.score - predictions.is_fraud, minlength=bins * days)
    return np.asarray(np.abs(gap.reshape(bins, days) @ weights).sum(axis=0))


def _mean(total: Matrix, rows: Matrix) -> Matrix:
    return np.asarray(np.divide(total, rows, out=np.full(np.shape(total), np.nan), where=rows > 0))
