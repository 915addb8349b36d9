"""Producers whose clocks are wrong: by minutes, by exactly one hour, or by a year."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Ints
from simulation.dirt.kinds import HOUR_MS
from simulation.streams import stream

YEAR_MS = 365 * 24 * HOUR_MS


def misdated(seed: int, log: str, event_ms: Ints, dirt: Array) -> Ints:
    """Return what the producers say when each event happened, half of the wrong ones ahead, the others behind."""
    sign = np.where(stream(seed, f"clocks:{log}").random(len(event_ms)) < 1 / 2, 1, -1)
    off = np.select([dirt == "hour_off", dirt == "year_off"], [HOUR_MS, YEAR_MS], 0)
    said: Ints = event_ms + sign * off
    return said
