"""Every figure of one review, under the names they are filed by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from matplotlib.figure import Figure

from training.metrics.compare import align
from training.metrics.estimate import Estimate
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings
from training.metrics.slices import alert_threshold, evaluate_slices
from training.review.calibration_plot import draw_calibration
from training.review.fold_table import draw_folds
from training.review.importance_plot import draw_importance
from training.review.pr_curve import draw_pr_curve
from training.review.score_plot import draw_scores
from training.review.slice_plot import draw_slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What there is to show of one candidate.

    Attributes:
        predictions: the evaluated period.
        evaluation: what ``evaluate`` said about it.
        gain: feature to total gain.
        champion: the champion's scores on the same rows, in any order.
        folds: fold name to evaluation; empty where there is one period only.
    """

    predictions: Predictions
    evaluation: Mapping[str, Estimate]
    gain: Mapping[str, float]
    champion: Predictions | None = None
    folds: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)


def draw_review(review: Review, settings: EvaluationSettings) -> dict[str, Figure]:
    """Draw all figures; names are file stems: ``pr_curve``, ``calibration``, ``slice_country`` and so on.

    A figure for which the rows are too poor (no fraud, no probabilities) says so instead of being absent.

    Raises:
        SchemaError: the champion scored other rows.
    """
    rows = review.predictions
    champion = None if review.champion is None else align(review.champion, rows)
    figures = {
        "pr_curve": draw_pr_curve(rows, review.evaluation["average_precision"], champion),
        "calibration": draw_calibration(rows, review.evaluation["ece"], settings),
        "scores_by_class": draw_scores(rows, alert_threshold(rows, settings.alert_share)),
        "feature_importance": draw_importance(review.gain),
    }
    for name, results in groupby(evaluate_slices(rows, settings), key=lambda result: result.slice_name):
        figures[f"slice_{name}"] = draw_slice(list(results))
    if review.folds:
        figures["folds"] = draw_folds(review.folds)
    return figures
