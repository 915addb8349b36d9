"""Precision against recall: what share of alerts is right, for each share of fraud caught."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.metrics.estimate import Estimate
from training.metrics.predictions import Predictions
from training.metrics.ranking import precision_recall, why_no_fraud
from training.review.theme import FRAUD, MUTED, OTHER, new_figure, note_figure, style

TITLE = "Precision and recall"


def draw_pr_curve(
    predictions: Predictions, average_precision: Estimate, champion: Predictions | None = None
) -> Figure:
    """Draw the candidate's curve, the champion's on the same rows, and the base rate that guesses reach."""
    reason = why_no_fraud(predictions)
    if reason:
        return note_figure(TITLE, reason)
    rows, frauds = len(predictions), predictions.fraud_count
    figure = new_figure(
        TITLE, f"average precision {average_precision}; {frauds:,} frauds among {rows:,} rows"
    )
    axes = figure.add_subplot()
    if champion is not None:
        _draw(axes, champion, color=OTHER, label="champion")
    _draw(axes, predictions, color=FRAUD, label="candidate")
    base = frauds / rows
    axes.axhline(base, color=MUTED, linestyle="--", linewidth=1.2, label=f"base rate {base:.2%}")
    axes.set_xlim(0, 1.005)
    axes.set_ylim(0, 1.02)
    style(axes, x="recall: share of frauds reached", y="precision: share of alerts that are fraud")
    axes.legend(frameon=False, fontsize=10, loc="upper right")
    return figure


def _draw(axes: Axes, predictions: Predictions, *, color: str, label: str) -> None:
    precision, recall = precision_recall(predictions)
    along, height = np.append(0, recall), np.append(precision[0], precision)
    axes.step(along, height, where="pre", color=color, linewidth=2, label=label)
