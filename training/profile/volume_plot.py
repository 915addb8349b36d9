"""Rows a day, and the share of them that turned out to be fraud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.profile.counts import Counted
from training.review.theme import FRAUD, LEGITIMATE, new_figure, note_figure, style


def draw_volume(log: str, days: Sequence[Counted]) -> Figure:
    """Draw rows a day and, beneath, the share of settled rows that are fraud, where any is settled.

    Args:
        days: in order; a day without rows is absent.
    """
    title = f"{log}: rows a day"
    if not days:
        return note_figure(title, "no rows")
    rows = sum(day.rows for day in days)
    figure = new_figure(
        title, f"{rows:,} rows on {len(days):,} days, {days[0].value} to {days[-1].value} (UTC)"
    )
    settled = [day for day in days if day.settled]
    axes = figure.subplots(2, 1, sharex=True, squeeze=False)[:, 0] if settled else [figure.add_subplot()]
    _draw(axes[0], days, [day.rows for day in days], LEGITIMATE)
    style(axes[0], x="" if settled else "day", y="rows")
    if settled:
        _draw(axes[1], settled, [100 * day.frauds / day.settled for day in settled], FRAUD)
        style(axes[1], x="day", y="fraud among settled rows (%)")
    return figure


def _draw(axes: Axes, days: Sequence[Counted], heights: Sequence[float], color: str) -> None:
    dates = np.array([day.value for day in days], dtype="datetime64[D]")
    axes.bar(dates, heights, color=color, width=1.0)
    axes.set_ylim(bottom=0)
