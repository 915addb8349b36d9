"""One evaluation of one period: every metric with its day-block interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.metrics.calibration import calibration_draws
from training.metrics.daily import daily_draws
from training.metrics.day_blocks import day_codes, draw_days
from training.metrics.estimate import Estimate, MetricDraws
from training.metrics.predictions import Predictions
from training.metrics.ranking import ranking_draws
from training.metrics.settings import EvaluationSettings


def evaluate(predictions: Predictions, settings: EvaluationSettings) -> dict[str, Estimate]:
    """Measure every metric of one period.

    Returns:
        Metric name to estimate, always the same names for the same settings. What the rows cannot tell (no
        fraud, no entity key, scores that are no probabilities) has the value NaN and says why.
    """
    _, days = day_codes(predictions)
    drawn = metric_draws(predictions, draw_days(days, draws=settings.draws, seed=settings.seed), settings)
    return {
        name: Estimate.of(values, days=days, confidence=settings.confidence) for name, values in drawn.items()
    }


def metric_draws(
    predictions: Predictions, weights: NDArray[np.float64], settings: EvaluationSettings
) -> dict[str, MetricDraws]:
    """Measure every metric on the period (column 0 of ``weights``) and on each draw of its days."""
    return {
        **ranking_draws(predictions, weights, settings),
        **daily_draws(predictions, weights, settings),
        **calibration_draws(predictions, weights, settings),
    }
