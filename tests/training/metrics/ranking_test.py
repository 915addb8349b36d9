"""Ranking metrics against scikit-learn and against sums written out row by row."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from training.metrics.day_blocks import day_codes, draw_days
from training.metrics.predictions import Predictions
from training.metrics.ranking import precision_recall, ranking_draws
from training.metrics.settings import EvaluationSettings

SETTINGS = EvaluationSettings(draws=20, fpr_limits=(0.1, 0.01), alert_share=0.1)


def period(seed: int, *, rows: int = 400, decimals: int = 2, days: int = 6) -> Predictions:
    """Rows with many tied scores, one fraud in ten."""
    rng = np.random.default_rng(seed)
    is_fraud = rng.random(rows) < 0.1
    score = np.asarray(np.round(rng.beta(2, 8, rows) + 0.15 * is_fraud, decimals), dtype=np.float64)
    return Predictions(
        row_id=np.arange(rows).astype(object),
        as_of=np.datetime64("2026-01-01", "us") + rng.integers(0, days, rows) * np.timedelta64(1, "D"),
        score=score,
        is_fraud=is_fraud,
        amount_usd=np.round(rng.exponential(80, rows), 2),
    )


def repeat(predictions: Predictions, weights: NDArray[np.float64]) -> Predictions:
    """Write every row as often as its day was drawn."""
    codes, _ = day_codes(predictions)
    rows = np.repeat(np.arange(len(predictions)), weights[codes].astype(int))
    return Predictions(
        row_id=np.arange(len(rows)).astype(object),
        as_of=predictions.as_of[rows],
        score=predictions.score[rows],
        is_fraud=predictions.is_fraud[rows],
        amount_usd=None if predictions.amount_usd is None else predictions.amount_usd[rows],
    )


def recall_oracle(predictions: Predictions, limit: float) -> float:
    false_alarms, recall, _ = roc_curve(predictions.is_fraud, predictions.score, drop_intermediate=False)
    return float(recall[false_alarms <= limit + 1e-12].max())


def value_oracle(predictions: Predictions, share: float) -> float:
    assert predictions.amount_usd is not None
    best = 0.0
    for threshold in sorted(set(predictions.score.tolist()), reverse=True):
        alerted = [i for i in range(len(predictions)) if predictions.score[i] >= threshold]
        if len(alerted) <= share * len(predictions):
            best = sum(predictions.amount_usd[i] for i in alerted if predictions.is_fraud[i])
    money = float(predictions.amount_usd[predictions.is_fraud].sum())
    return best / money


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("column", [0, 1, 7])
def test_the_period_and_every_draw_equal_the_oracles_on_the_rows_written_out(seed: int, column: int) -> None:
    rows = period(seed)
    weights = draw_days(6, draws=20, seed=seed)
    drawn = ranking_draws(rows, weights, SETTINGS)
    written = repeat(rows, weights[:, column])
    expected = {
        "roc_auc": roc_auc_score(written.is_fraud, written.score),
        "average_precision": average_precision_score(written.is_fraud, written.score),
        "recall_at_10pct_fpr": recall_oracle(written, 0.1),
        "recall_at_1pct_fpr": recall_oracle(written, 0.01),
        "value_detection_at_10pct_alerts": value_oracle(written, 0.1),
    }
    assert {name: found.values[column] for name, found in drawn.items()} == pytest.approx(expected, abs=1e-12)


def test_one_score_for_all_ranks_nothing() -> None:
    rows = period(1)
    flat = ranking_draws(rows.with_score(np.full(len(rows), 0.5)), np.ones((6, 1)), SETTINGS)
    assert flat["roc_auc"].values[0] == pytest.approx(0.5)
    assert flat["average_precision"].values[0] == pytest.approx(rows.fraud_count / len(rows))
    assert flat["value_detection_at_10pct_alerts"].values[0] == 0


def test_many_thresholds_are_measured_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, weights = period(4, decimals=9), draw_days(6, draws=20, seed=4)
    whole = ranking_draws(rows, weights, SETTINGS)
    monkeypatch.setattr("training.metrics.ranking.CELLS_AT_ONCE", 100)
    parts = ranking_draws(rows, weights, SETTINGS)
    for name, found in whole.items():
        np.testing.assert_allclose(parts[name].values, found.values, rtol=0, atol=1e-12)


def test_the_curve_ends_where_every_fraud_is_reached() -> None:
    rows = period(5)
    precision, recall = precision_recall(rows)
    reached = rows.score >= rows.score[rows.is_fraud].min()
    assert recall[-1] == 1
    assert precision[-1] == pytest.approx(rows.fraud_count / reached.sum())
