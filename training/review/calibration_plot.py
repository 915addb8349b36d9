"""Score against the share found to be fraud, bin by bin; logarithmic axes, because fraud is rare."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from training.metrics.calibration import CalibrationBin, calibration_bins, why_uncalibrated
from training.metrics.estimate import Estimate
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings
from training.review.theme import FRAUD, LEGITIMATE, MUTED, new_figure, note_figure, style

TITLE = "Calibration"
FLOOR = 1e-5


def draw_calibration(predictions: Predictions, ece: Estimate, settings: EvaluationSettings) -> Figure:
    """Draw each bin's fraud rate with its interval, the diagonal, and the rows per bin beneath.

    A bin without fraud has no place on a logarithmic axis; it stands as an open mark at the lower edge.
    """
    reason = why_uncalibrated(predictions)
    if reason:
        return note_figure(TITLE, reason)
    bins = [found for found in calibration_bins(predictions, settings) if found.mean_score > 0]
    if not bins:
        return note_figure(TITLE, "every score is 0")
    figure = new_figure(
        TITLE, f"expected calibration error {ece}; each bin holds an equal share of expected frauds"
    )
    above, beneath = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _draw_rates(above, bins)
    means = np.array([found.mean_score for found in bins])
    beneath.bar(means, [found.rows for found in bins], width=means * 0.25, color=LEGITIMATE)
    beneath.set_yscale("log")
    style(beneath, x="mean score of the bin (%, logarithmic)", y="rows (log.)")
    above.set_xscale("log")
    for axis in (above.yaxis, beneath.xaxis):
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    beneath.yaxis.set_minor_formatter(NullFormatter())
    return figure


def _draw_rates(axes: Axes, bins: list[CalibrationBin]) -> None:
    found = [one for one in bins if one.fraud_rate.value > 0]
    empty = [one.mean_score for one in bins if one.fraud_rate.value == 0]
    low = max(FLOOR, min([one.mean_score for one in bins] + [one.fraud_rate.value for one in found]) / 2)
    axes.plot([low, 1], [low, 1], color=MUTED, linestyle="--", linewidth=1.2, label="perfect")
    rates = np.array([one.fraud_rate.value for one in found])
    lows = np.array(
        [
            max(one.fraud_rate.low, low) if one.fraud_rate.has_interval else one.fraud_rate.value
            for one in found
        ]
    )
    highs = np.array(
        [one.fraud_rate.high if one.fraud_rate.has_interval else one.fraud_rate.value for one in found]
    )
    errors = np.clip([rates - lows, highs - rates], 0, None)
    means = [one.mean_score for one in found]
    axes.errorbar(means, rates, yerr=errors, fmt="o-", color=FRAUD, capsize=3, label="found, with interval")
    if empty:
        axes.plot(empty, [low] * len(empty), "o", color=FRAUD, fillstyle="none", label="no fraud found")
    axes.set_yscale("log")
    axes.set_ylim(low * 0.9, 1.2)
    style(axes, x="", y="fraud rate (%, logarithmic)")
    axes.legend(frameon=False, fontsize=10, loc="upper left")
