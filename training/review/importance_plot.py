"""Which features the trees gained most from."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from training.review.theme import LEGITIMATE, new_figure, note_figure, style

TITLE = "Feature importance"
SHOWN = 30


def draw_importance(gain: Mapping[str, float]) -> Figure:
    """Draw the features of largest gain as shares of all gain.

    Args:
        gain: feature to gain, as ``get_score(importance_type="total_gain")`` gives it; features that no
            tree used are absent or 0.
    """
    total = sum(gain.values())
    if total <= 0:
        return note_figure(TITLE, "no tree has split on any feature")
    top = sorted(gain.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    covered = sum(value for _, value in top) / total
    figure = new_figure(TITLE, f"{len(top)} of {len(gain)} used features carry {covered:.0%} of the gain")
    axes = figure.add_subplot()
    names = [name for name, _ in reversed(top)]
    axes.barh(names, [100 * value / total for _, value in reversed(top)], color=LEGITIMATE, height=0.72)
    style(axes, x="share of gain (%)", y="")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", labelsize=7.5 if len(top) > SHOWN / 2 else 9.5, length=0)
    axes.margins(y=0.01)
    return figure
