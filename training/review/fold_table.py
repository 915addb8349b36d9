"""The folds side by side: one row per evaluated period, mean and deviation beneath."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.metrics.estimate import Estimate
from training.metrics.folds import FoldSummary, summarise_folds
from training.review.theme import GRID, INK, MUTED, new_figure, note_figure

TITLE = "Folds"
SHOWN = 5
FIRST = ("roc_auc", "average_precision", "entity_precision", "precision_at", "recall_at", "value_detection")
WIDTH_OF_NAMES = 0.22


def draw_folds(folds: Mapping[str, Mapping[str, Estimate]]) -> Figure:
    """Draw a table of the metrics that matter most among those that any fold knows.

    Args:
        folds: fold name, such as its test week, to the evaluation of that fold; no folds give a note.
    """
    summary = summarise_folds(list(folds.values()))
    known = [name for name, found in summary.items() if found.known_folds]
    metrics = sorted(known, key=_place)[:SHOWN]
    if not metrics:
        return note_figure(TITLE, "no folds were evaluated")
    figure = new_figure(TITLE, f"{len(folds)} evaluated periods; mean and sample deviation beneath")
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    lines = len(folds) + 2
    axes.set_ylim(-max(lines, 8), 0.5)
    _write(axes, 0, ["", *(_title(name) for name in metrics)], MUTED)
    for place, (name, found) in enumerate(folds.items(), start=1):
        _write(axes, place, [name, *(_cell(found, metric) for metric in metrics)], INK)
    axes.axhline(-(lines - 1.5), color=GRID, linewidth=1.5)
    _write(axes, lines - 1, ["mean", *(str(summary[name]) for name in metrics)], INK)
    return figure


def fold_markdown(folds: Mapping[str, Mapping[str, Estimate]], metrics: Sequence[str]) -> str:
    """Return the same table as Markdown for the named metrics, mean and deviation in the last line."""
    summary: Mapping[str, FoldSummary] = summarise_folds(list(folds.values()))
    lines = [f"| fold | {' | '.join(metrics)} |", "|---" * (len(metrics) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(_cell(found, m) for m in metrics)} |" for name, found in folds.items()]
    lines.append(f"| mean | {' | '.join(str(summary[m]) if m in summary else '-' for m in metrics)} |")
    return "\n".join(lines) + "\n"


def _write(axes: Axes, place: int, cells: Sequence[str], color: str) -> None:
    """Write the first cell at the left, the others right-aligned in columns of one width."""
    axes.text(0, -place, cells[0], fontsize=10.5, color=color, va="center")
    step = (1 - WIDTH_OF_NAMES) / (len(cells) - 1)
    for position, cell in enumerate(cells[1:], start=1):
        along = WIDTH_OF_NAMES + position * step
        axes.text(along, -place, cell, fontsize=10.5, color=color, ha="right", va="center")


def _place(metric: str) -> int:
    return next((place for place, start in enumerate(FIRST) if metric.startswith(start)), len(FIRST))


def _title(metric: str) -> str:
    words = re.sub(r"(\d+)pct", r"\1 %", re.sub(r"(\d)_(\d+pct)", r"\1.\2", metric)).replace("_", " ")
    head, _, tail = words.partition(" at ")
    return f"{head}\nat {tail}" if tail else words.replace(" ", "\n")


def _cell(found: Mapping[str, Estimate], metric: str) -> str:
    estimate = found.get(metric)
    return f"{estimate.value:.3f}" if estimate is not None and estimate.is_known else "-"
