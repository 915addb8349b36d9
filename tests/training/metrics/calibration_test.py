"""Calibration metrics against scikit-learn and against sums written out bin by bin."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from training.metrics.calibration import calibration_bins, calibration_draws
from training.metrics.day_blocks import day_codes
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings

SETTINGS = EvaluationSettings(draws=50, calibration_bins=5)


def period(score: list[float], is_fraud: list[bool]) -> Predictions:
    rows = len(score)
    return Predictions(
        row_id=np.arange(rows).astype(object),
        as_of=np.datetime64("2026-01-01", "us") + np.arange(rows) % 4 * np.timedelta64(1, "D"),
        score=np.array(score),
        is_fraud=np.array(is_fraud, dtype=bool),
    )


def random_period() -> Predictions:
    rng = np.random.default_rng(3)
    score = rng.beta(1, 30, 600)
    return period(score.tolist(), (rng.random(600) < 1.5 * score).tolist())


def test_brier_and_log_loss_equal_scikit_learn_on_the_period_and_on_a_draw() -> None:
    rows = random_period()
    weights = np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    drawn = calibration_draws(rows, weights, SETTINGS)
    codes, _ = day_codes(rows)
    for column in (0, 1):
        sample_weight = weights[codes, column]
        assert drawn["brier"].values[column] == pytest.approx(
            brier_score_loss(rows.is_fraud, rows.score, sample_weight=sample_weight)
        )
        assert drawn["log_loss"].values[column] == pytest.approx(
            log_loss(rows.is_fraud, rows.score, sample_weight=sample_weight)
        )
        base = np.average(rows.is_fraud, weights=sample_weight)
        assert drawn["base_rate"].values[column] == pytest.approx(base)


def test_ece_is_the_gap_between_expected_and_found_frauds_over_bins() -> None:
    # The sum of scores is 2.0, so two bins hold 1.0 each: {0.1 x 5, 0.5} and {1.0}.
    rows = period([0.1] * 5 + [0.5, 1.0], [True] + [False] * 5 + [False])
    drawn = calibration_draws(rows, np.ones((4, 1)), EvaluationSettings(calibration_bins=2))
    assert drawn["ece"].values[0] == pytest.approx((abs(1.0 - 1) + abs(1.0 - 0)) / 7)


def test_bins_share_the_sum_of_scores_and_lose_no_row() -> None:
    rows = random_period()
    bins = calibration_bins(rows, SETTINGS)
    assert len(bins) == 5
    assert sum(found.rows for found in bins) == 600
    assert sum(found.frauds for found in bins) == rows.fraud_count
    mass = [found.rows * found.mean_score for found in bins]
    assert mass == pytest.approx([rows.score.sum() / 5] * 5, rel=0.1)
    gap = sum(abs(found.rows * found.mean_score - found.frauds) for found in bins) / 600
    assert calibration_draws(rows, np.ones((4, 1)), SETTINGS)["ece"].values[0] == pytest.approx(gap)


def test_a_sure_and_wrong_score_has_a_finite_loss() -> None:
    drawn = calibration_draws(period([0.0, 1.0], [True, False]), np.ones((2, 1)), SETTINGS)
    assert np.isfinite(drawn["log_loss"].values[0])
    assert drawn["brier"].values[0] == 1


def test_margins_are_no_probabilities() -> None:
    drawn = calibration_draws(period([-3.0, 2.0], [False, True]), np.ones((2, 1)), SETTINGS)
    assert np.isnan(drawn["ece"].values[0])
    assert drawn["ece"].reason == "scores span -3 to 2, so they are no probabilities"
    assert drawn["base_rate"].values[0] == 0.5
