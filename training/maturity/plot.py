"""How many of the labels that come have come by which day, source by source."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from training.maturity.curve import Curve
from training.review.theme import FRAUD, LEGITIMATE, MUTED, OTHER, new_figure, note_figure, style

_COLORS = (FRAUD, LEGITIMATE, OTHER, MUTED)


def draw_maturity(curves: Mapping[str, Curve], matures_after_days: float) -> Figure:
    """Draw the share known by day with its interval; the line is where a row counts as matured."""
    title = "How long labels take"
    drawn = {name: curve for name, curve in curves.items() if len(curve.days)}
    if not drawn:
        return note_figure(title, "no label says fraud")
    said = "; ".join(f"{name}: 90 % by day {curve.day_by_which(0.9)}" for name, curve in drawn.items())
    figure = new_figure(title, f"{said}. Rows count as matured after {matures_after_days:g} days")
    axes = figure.subplots()
    for color, (name, curve) in zip(_COLORS * len(drawn), drawn.items(), strict=False):
        axes.step(curve.days, 100 * curve.known, where="post", color=color, label=name)
        axes.fill_between(
            curve.days, 100 * curve.known_low, 100 * curve.known_high, step="post", color=color, alpha=0.15
        )
    axes.axvline(matures_after_days, color=MUTED, linestyle="--")
    axes.set_ylim(0, 101)
    axes.set_xlim(left=0)
    axes.legend(frameon=False)
    style(axes, x="days after the row", y="labels known (%)")
    return figure
