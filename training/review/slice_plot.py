"""One slice of the period: recall of each value with its interval, and the figures beside it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.metrics.estimate import Estimate
from training.metrics.slices import SliceResult
from training.review.theme import FRAUD, INK, MUTED, new_figure, note_figure, style

HEADS = ("rows", "frauds", "false alarms", "average precision")
PLACES = (0.16, 0.34, 0.60, 1.0)


def draw_slice(results: Sequence[SliceResult]) -> Figure:
    """Draw one mark per value of one slice and, in a table, what stands behind it.

    Args:
        results: the values of one slice in the order to show; their threshold is that of all rows.
    """
    if not results:
        return note_figure("Slices", "no slices given")
    frauds = sum(result.frauds for result in results)
    rows = sum(result.rows for result in results)
    figure = new_figure(
        f"By {results[0].slice_name}",
        f"{frauds:,} frauds among {rows:,} rows; one alert threshold for all; intervals by days",
    )
    axes, table = figure.subplots(1, 2, sharey=True, width_ratios=[1, 1.1])
    places = list(range(len(results), 0, -1))
    for place, result in zip(places, results, strict=True):
        _draw_mark(axes, place, result.recall)
        _write_row(table, place, result)
    axes.set_yticks(places, [result.value for result in results])
    axes.set_ylim(0.4, len(results) + 1.1)
    axes.set_xlim(-0.02, 1.02)
    style(axes, x="recall: share of frauds alerted", y="")
    table.set_axis_off()
    table.set_xlim(0, 1)
    for head, along in zip(HEADS, PLACES, strict=True):
        table.text(along, len(results) + 0.75, head, fontsize=9.5, color=MUTED, ha="right", va="center")
    return figure


def _draw_mark(axes: Axes, place: int, recall: Estimate) -> None:
    if not recall.is_known:
        axes.text(0, place, recall.reason, fontsize=9, color=MUTED, va="center")
        return
    if recall.has_interval:
        axes.plot([recall.low, recall.high], [place, place], color=FRAUD, linewidth=2, solid_capstyle="butt")
    axes.plot([recall.value], [place], "o", color=FRAUD, markersize=7)


def _write_row(table: Axes, place: int, result: SliceResult) -> None:
    alarms = result.false_positive_rate
    texts = (
        f"{result.rows:,}",
        f"{result.frauds:,}",
        f"{alarms.value:.2%}" if alarms.is_known else "-",
        str(result.average_precision) if result.average_precision.is_known else "-",
    )
    for text, along in zip(texts, PLACES, strict=True):
        table.text(along, place, text, fontsize=9.5, color=INK, ha="right", va="center")
