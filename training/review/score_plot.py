"""How scores of fraud and of legitimate rows are spread."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from training.metrics.predictions import Predictions
from training.review.theme import FRAUD, INK, LEGITIMATE, new_figure, note_figure, style

TITLE = "Scores by class"
BINS = 50


def draw_scores(predictions: Predictions, threshold: float) -> Figure:
    """Draw one histogram per class with logarithmic counts, and the alert threshold where it is finite."""
    if len(predictions) == 0:
        return note_figure(TITLE, "no rows")
    alerted = int(np.count_nonzero(predictions.score >= threshold))
    figure = new_figure(
        TITLE, f"{alerted:,} of {len(predictions):,} rows reach the alert threshold {threshold:.3g}"
    )
    axes = figure.add_subplot()
    edges = np.histogram_bin_edges(predictions.score, bins=BINS)
    for kept, color, name in (
        (~predictions.is_fraud, LEGITIMATE, "legitimate"),
        (predictions.is_fraud, FRAUD, "fraud"),
    ):
        label = f"{name} ({int(kept.sum()):,} rows)"
        axes.hist(predictions.score[kept], bins=edges.tolist(), color=color, alpha=0.55, label=label)
        axes.hist(predictions.score[kept], bins=edges.tolist(), color=color, histtype="step", linewidth=1.5)
    if np.isfinite(threshold):
        axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.2, label="alert threshold")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    style(axes, x="score", y="rows (logarithmic)")
    axes.legend(frameon=False, fontsize=10, loc="upper right")
    return figure
