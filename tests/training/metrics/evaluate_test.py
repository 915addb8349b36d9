"""One evaluation: its names, its intervals, and what it says of periods that cannot be measured."""

from __future__ import annotations

import time

import numpy as np
import pytest

from lake.errors import SchemaError
from training.metrics.compare import compare
from training.metrics.day_blocks import draw_days
from training.metrics.estimate import Estimate, MetricDraws, as_metrics
from training.metrics.evaluate import evaluate
from training.metrics.folds import summarise_folds
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings
from training.metrics.slices import alert_threshold, evaluate_slices

SETTINGS = EvaluationSettings(draws=200)


def period(rows: int = 2000, *, days: int = 10, frauds: float = 0.05, seed: int = 1) -> Predictions:
    rng = np.random.default_rng(seed)
    is_fraud = rng.random(rows) < frauds
    country = np.array(["IN", "US", None], object)[rng.choice(3, rows, p=[0.7, 0.2, 0.1])]
    return Predictions(
        row_id=np.array([f"r{i}" for i in range(rows)], object),
        as_of=np.datetime64("2026-01-01", "us") + rng.integers(0, days, rows) * np.timedelta64(1, "D"),
        score=np.clip(rng.beta(2, 20, rows) + 0.1 * is_fraud, 0, 1),
        is_fraud=is_fraud,
        entity=np.array([f"c{i}" for i in rng.integers(0, 500, rows)], object),
        amount_usd=rng.exponential(50, rows),
        slices={"country": country},
    )


def test_every_metric_has_a_value_inside_its_interval() -> None:
    found = evaluate(period(), SETTINGS)
    assert list(found) == [
        "roc_auc",
        "average_precision",
        "recall_at_1pct_fpr",
        "recall_at_0_1pct_fpr",
        "value_detection_at_1pct_alerts",
        "precision_at_100_per_day",
        "entity_precision_at_100_per_day",
        "brier",
        "ece",
        "log_loss",
        "base_rate",
    ]
    for estimate in found.values():
        assert estimate.low < estimate.high
        assert estimate.draws == 200
    outside = [name for name, e in found.items() if not e.low <= e.value <= e.high]
    assert outside == []


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    rows = period()
    first = evaluate(rows, SETTINGS)
    assert evaluate(rows, SETTINGS) == first
    other = evaluate(rows, EvaluationSettings(draws=200, seed=8))
    assert other["roc_auc"].value == first["roc_auc"].value
    assert other["roc_auc"].low != first["roc_auc"].low


def test_whole_days_are_drawn_so_a_bad_day_widens_the_interval() -> None:
    rows = period(days=8)
    broken = np.where(rows.day == rows.day.min(), 1 - rows.score, rows.score)
    steady, shaken = (
        evaluate(rows, SETTINGS)["roc_auc"],
        evaluate(rows.with_score(broken), SETTINGS)["roc_auc"],
    )
    assert shaken.high - shaken.low > 3 * (steady.high - steady.low)


def test_a_draw_of_days_has_as_many_days_as_the_period() -> None:
    weights = draw_days(9, draws=50, seed=1)
    assert weights.shape == (9, 51)
    assert weights[:, 0].tolist() == [1] * 9
    assert set(weights.sum(axis=0)) == {9}


@pytest.mark.parametrize(
    ("rows", "metric", "reason"),
    [
        (period(0), "average_precision", "no fraud among 0 rows"),
        (period(0), "brier", "no rows"),
        (period(0), "precision_at_100_per_day", "no rows"),
        (period(frauds=0), "average_precision", "no fraud among 2000 rows"),
        (period(frauds=0), "value_detection_at_1pct_alerts", "no fraud among 2000 rows"),
        (period(frauds=2), "roc_auc", "all 2000 rows are fraud"),
        (period(frauds=2), "recall_at_1pct_fpr", "all 2000 rows are fraud"),
    ],
)
def test_what_cannot_be_measured_is_nan_with_the_reason(rows: Predictions, metric: str, reason: str) -> None:
    found = evaluate(rows, SETTINGS)[metric]
    assert not found.is_known
    assert np.isnan(found.value)
    assert found.reason == reason
    assert str(found) == f"unknown ({reason})"


def test_one_day_gives_a_value_without_an_interval() -> None:
    found = evaluate(period(days=1), SETTINGS)["roc_auc"]
    assert found.is_known
    assert not found.has_interval
    assert found.reason == "1 day of data; an interval by days needs at least 2"
    assert not found.low >= 0


def test_only_known_figures_become_metrics_of_a_run() -> None:
    known, lone = Estimate(0.4, 0.3, 0.5, 100), Estimate(0.4, float("nan"), float("nan"), 0, "1 day")
    unknown = Estimate(float("nan"), float("nan"), float("nan"), 0, "no fraud")
    flat = as_metrics({"a": known, "b": lone, "c": unknown}, prefix="test_")
    assert flat == {"test_a": 0.4, "test_a_low": 0.3, "test_a_high": 0.5, "test_b": 0.4}


def test_draws_in_which_a_metric_is_undefined_do_not_count() -> None:
    drawn = MetricDraws(np.array([0.5, 0.4, np.nan, 0.6]))
    found = Estimate.of(drawn, days=3, confidence=0.9)
    assert found.draws == 2
    assert [found.low, found.high] == pytest.approx([0.41, 0.59])


def test_an_estimate_reads_as_a_figure_with_its_limits() -> None:
    assert str(Estimate(0.4149, 0.36, 0.456, 100)) == "0.41 (0.36-0.46)"
    assert str(Estimate(0.00837, 0.0079, 0.0088, 100)) == "0.0084 (0.0079-0.0088)"
    assert Estimate(0.0123, -0.004, 0.0281, 100).as_difference() == "+0.012 (-0.004 to +0.028)"


def test_a_paired_difference_is_tighter_than_two_intervals_and_needs_no_row_order() -> None:
    rows = period()
    nudged = rows.with_score(np.clip(rows.score + 0.02 * rows.is_fraud, 0, 1))
    shuffled = rows.take(np.random.default_rng(2).permutation(len(rows)))
    gain = compare(nudged, shuffled, SETTINGS)["average_precision"]
    mine, theirs = (evaluate(p, SETTINGS)["average_precision"] for p in (nudged, rows))
    assert gain.value == pytest.approx(mine.value - theirs.value)
    assert gain.low > 0
    assert gain.high - gain.low < mine.high - mine.low
    assert gain == compare(nudged, rows, SETTINGS)["average_precision"]


def test_equal_scores_differ_by_nothing() -> None:
    gain = compare(period(), period(), SETTINGS)
    assert {(e.value, e.low, e.high) for e in gain.values()} == {(0.0, 0.0, 0.0)}


def test_other_rows_or_labels_are_not_compared() -> None:
    rows = period(50)
    with pytest.raises(SchemaError, match="the candidate scored 50 rows, the other model 40, and 10 of"):
        compare(rows, rows.take(np.arange(40)), SETTINGS)
    with pytest.raises(SchemaError, match="rows have another label for the other model"):
        compare(period(50, frauds=0.5), period(50, frauds=0), SETTINGS)


def test_folds_give_mean_and_sample_deviation_of_known_values() -> None:
    folds = [{"ap": Estimate(v, v, v, 1)} for v in (0.7, 0.6, float("nan"), 0.8)]
    found = summarise_folds(folds)["ap"]
    assert found.mean == pytest.approx(0.7)
    assert found.deviation == pytest.approx(0.1)
    assert found.known_folds == 3
    assert str(found) == "0.700 ± 0.100"
    assert summarise_folds([]) == {}


def test_slices_share_one_threshold_and_lose_no_row() -> None:
    rows = period()
    found = evaluate_slices(rows, EvaluationSettings(draws=50, alert_share=0.05, slice_values=2))
    assert [result.value for result in found] == ["IN", "US", "other"]
    assert sum(result.rows for result in found) == 2000
    alerted = rows.score >= alert_threshold(rows, 0.05)
    assert 0 < alerted.sum() <= 100
    inside = rows.slices["country"] == "US"
    expected = (alerted & inside & rows.is_fraud).sum() / (inside & rows.is_fraud).sum()
    assert found[1].recall.value == pytest.approx(expected)
    false_alarms = (alerted & inside & ~rows.is_fraud).sum() / (inside & ~rows.is_fraud).sum()
    assert found[1].false_positive_rate.value == pytest.approx(false_alarms)
    assert (
        found[1].average_precision.value == evaluate(rows.take(inside), SETTINGS)["average_precision"].value
    )


def test_a_slice_without_fraud_says_so_and_nulls_are_named() -> None:
    rows = period(300)
    clean = rows.take(~(rows.is_fraud & np.array([value is None for value in rows.slices["country"]])))
    result = {r.value: r for r in evaluate_slices(clean, SETTINGS)}["missing"]
    assert result.recall.reason == f"no fraud among {result.rows} rows"
    assert result.false_positive_rate.is_known


def test_no_threshold_alerts_too_many_rows() -> None:
    rows = period(100)
    tied = rows.with_score(np.where(np.arange(100) < 5, 0.9, 0.1))
    assert alert_threshold(tied, 0.05) == 0.9
    assert alert_threshold(tied, 0.04) == float("inf")


def test_a_thousand_draws_of_twenty_thousand_rows_take_seconds_at_most() -> None:
    rows = period(20_000, days=14, frauds=0.02)
    started = time.process_time()
    evaluate(rows, EvaluationSettings())
    assert time.process_time() - started < 5
