"""Draws the pictures of docs/simulation.md: daily rows, fraud by typology, and how long it takes to be told."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulation.columns import Array
from simulation.settings import SimulationSettings
from simulation.world import World, simulate
from training.review.theme import FRAUD, LEGITIMATE, MUTED, OTHER, new_figure, style

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
DAY_MS = 86_400_000
COLORS = (LEGITIMATE, FRAUD, OTHER, "#2f855a", "#b7791f", MUTED)


def main() -> None:
    """Write one SVG a picture, the same bytes each time."""
    settings = SimulationSettings()
    world = simulate(settings)
    mpl.rcParams |= {"svg.hashsalt": "trustlake", "svg.fonttype": "none"}
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, figure in (
        ("daily_volumes", _volumes(settings, world)),
        ("fraud_by_typology", _typologies(settings, world)),
        ("delays_of_labels", _delays(world)),
    ):
        figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None})


def _volumes(settings: SimulationSettings, world: World) -> Figure:
    figure = new_figure("Rows a day", f"seed {settings.seed}, before any dirt; weeks and working hours show")
    axes = figure.subplots()
    for color, log in zip(
        COLORS, ("logins", "payments", "proposals", "time_logs", "messages", "job_posts"), strict=False
    ):
        rows = getattr(world, log)
        _line(axes, np.arange(settings.days), _by_day(settings, rows["ms"]), log, color)
    style(axes, x="day of the period", y="rows")
    axes.legend(frameon=False)
    return figure


def _typologies(settings: SimulationSettings, world: World) -> Figure:
    payments = world.payments
    figure = new_figure(
        "Fraudulent payment attempts a week, by typology", "campaigns come and go; T2 are card tests"
    )
    axes = figure.subplots()
    weeks = np.arange(0, settings.days + 6, 7)
    bottom = np.zeros(len(weeks) - 1)
    for color, typology in zip(COLORS, ("T1", "T2", "T3", "T7", "T9"), strict=False):
        days = (
            payments["ms"][payments["is_fraud"] & (payments["typology"] == typology)] - settings.start_ms
        ) / DAY_MS
        counts, _ = np.histogram(days, bins=weeks)
        axes.bar(weeks[:-1], counts, width=6.0, align="edge", bottom=bottom, color=color, label=typology)
        bottom += counts
    style(axes, x="day of the period", y="attempts")
    axes.legend(frameon=False)
    return figure


def _delays(world: World) -> Figure:
    figure = new_figure(
        "How long it takes until fraud is told", "share told within so many days, of all that is told"
    )
    axes = figure.subplots()
    disputes, reports = world.disputes, world.user_reports
    kinds = {"early fraud warning": "efw", "chargeback": "chargeback", "refund claim": "refund_claim"}
    delays = {
        name: (disputes["ms"] - disputes["paid_ms"])[disputes["kind"] == kind] / DAY_MS
        for name, kind in kinds.items()
    }
    posts, of_post = world.job_posts, reports["target_type"] == "job_post"
    target = reports["target"][of_post]
    of_scam = posts["is_fraud"][target]
    delays["report of a soliciting post"] = (reports["ms"][of_post] - posts["ms"][target])[of_scam] / DAY_MS
    begins = dict(zip(world.messages["thread"][::-1], world.messages["ms"][::-1], strict=True))
    of_thread = (reports["target_type"] == "thread") & (reports["reason_code"] == "scam")
    told = [
        at - begins[t] for t, at in zip(reports["target"][of_thread], reports["ms"][of_thread], strict=True)
    ]
    delays["report of a swindling thread"] = np.array(told) / DAY_MS
    for color, (name, days) in zip(COLORS, delays.items(), strict=False):
        if len(days):
            _line(
                axes, np.arange(121), np.searchsorted(np.sort(days), np.arange(121)) / len(days), name, color
            )
    style(axes, x="days since the event", y="share told")
    axes.legend(frameon=False)
    return figure


def _by_day(settings: SimulationSettings, ms: Array) -> Array:
    day = (ms - settings.start_ms) // DAY_MS
    counts: Array = np.bincount(day[(day >= 0) & (day < settings.days)], minlength=settings.days)
    return counts


def _line(axes: Axes, x: Array, y: Array, label: str, color: str) -> None:
    axes.plot(x, y, label=label, color=color, linewidth=1.4)


if __name__ == "__main__":
    main()
