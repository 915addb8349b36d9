"""Time logs, one row per stretch of work on an hourly contract; on some of them hours are padded (T10)."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.contracts import PADDED
from simulation.population import DAY_MS, HOUR_MS
from simulation.sessions import honest_sessions
from simulation.settings import SimulationSettings
from simulation.streams import happens, mixed, stream

_LONGEST_MINUTES = 600
_DAYS_A_STRETCH = 2.2


def time_logs(settings: SimulationSettings, people: Columns, terms: Columns) -> Columns:
    """Return the stretches of the period sorted by their end, ``ms``; ``screenshot`` numbers what the screen showed.

    Honest people too write hours by hand and leave the screen alone for a while, each after his own habit. Who pads
    logs more of them, more often by hand, with a screen that never changes, and now and then twice at one time.
    """
    rng = stream(settings.seed, "time logs")
    rows = _stretches(rng, settings, people, take(terms, terms["kind"] == "hourly"))
    count = size(rows)
    padded = rows["typology"] == PADDED
    habit = mixed(rows["freelancer"], "by hand") % 1000 / 1000.0
    manual = happens(rng, np.where(padded, 0.45, 0.35 * habit**3), count)
    minutes = np.where(padded, rng.normal(400, 110, count), rng.gamma(2.2, 75.0, count))
    minutes = minutes.clip(10, _LONGEST_MINUTES).astype(np.int64)
    idle = padded & happens(rng, 0.5, count)
    busy = rng.binomial(10, np.where(happens(rng, 0.06, count), 0.2, 0.65), count)
    rows |= {
        "minutes": minutes,
        "activity_level": np.where(idle, 3, busy),
        "manual": manual,
        "screenshot": np.where(idle, rows["contract"] * 7 + 1, rng.integers(0, 1 << 60, count)),
    }
    rows = stack([rows, _twice(rng, rows, padded)])
    rows["ms"] = rows["start_ms"] + rows["minutes"] * 60_000
    rows = take(rows, (rows["start_ms"] >= settings.start_ms) & (rows["ms"] < settings.end_ms))
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    session = honest_sessions(rng, people, rows["freelancer"], rows["ms"])
    return rows | session | {"log": np.arange(size(rows))}


def _stretches(
    rng: np.random.Generator, settings: SimulationSettings, people: Columns, hourly: Columns
) -> Columns:
    """Return one row per stretch, evenly drawn between start and end of each contract, at waking hours."""
    until = np.minimum(hourly["end_ms"], settings.end_ms)
    days = (until - hourly["start_ms"]).clip(0) / DAY_MS
    number = rng.poisson((days / _DAYS_A_STRETCH).clip(0, 60))
    row = np.repeat(np.arange(len(number)), number)
    at = hourly["start_ms"][row] + (rng.random(len(row)) * (until - hourly["start_ms"])[row]).astype(np.int64)
    freelancer = hourly["freelancer"][row]
    at = geography.working_time(rng, at, people["country"][freelancer])
    kept = {name: hourly[name][row] for name in ("contract", "freelancer", "typology")}
    return kept | {"start_ms": np.maximum(at, hourly["start_ms"][row] + 60_000)}


def _twice(rng: np.random.Generator, rows: Columns, padded: Flags) -> Columns:
    """Return further stretches that overlap with padded ones."""
    again = take(rows, padded & happens(rng, 0.15, len(padded)))
    shift: Ints = (rng.uniform(0.1, 0.9, size(again)) * HOUR_MS).astype(np.int64)
    later: Array = again["start_ms"] + shift
    return again | {"start_ms": later}
