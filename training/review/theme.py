"""How every review figure looks: 900 x 600 pixels, one palette, a claim as title and its figures beneath."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

INK = "#1f2933"
MUTED = "#6b7785"
GRID = "#e3e7ec"
FRAUD = "#c2410c"
LEGITIMATE = "#2563a8"
OTHER = "#8b5fbf"
SIZE_INCHES = (9.0, 6.0)
DOTS_PER_INCH = 100


def new_figure(title: str, subtitle: str) -> Figure:
    """Return an empty figure with a headline; it belongs to no global state."""
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, facecolor="white")
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0.01, 0.01, 0.98, 0.86)))
    FigureCanvasAgg(figure)
    figure.text(0.02, 0.965, title, fontsize=15, fontweight="bold", color=INK, va="top")
    figure.text(0.02, 0.91, subtitle, fontsize=10.5, color=MUTED, va="top")
    return figure


def style(axes: Axes, *, x: str, y: str) -> None:
    """Label the axes and take away what carries no information."""
    axes.set_xlabel(x, fontsize=10.5, color=INK)
    axes.set_ylabel(y, fontsize=10.5, color=INK)
    axes.tick_params(colors=INK, labelsize=9.5)
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)


def note_figure(title: str, reason: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = new_figure(title, "nothing to draw")
    figure.text(0.5, 0.5, reason, fontsize=13, color=MUTED, ha="center", va="center")
    return figure
