"""One outage in the life of a marketplace: for hours an app delivers nothing, and then everything in one lump."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Flags, Ints
from simulation.settings import SimulationSettings
from simulation.streams import stream
from simulation.words import Records

SILENT_APP = "ios-5.2"
LUMP_MS = 120_000
_DAY_MS, _MORNING_MS = 86_400_000, 7 * 3_600_000
_DAYS_BEFORE = 0.45


def outage(settings: SimulationSettings) -> tuple[int, int]:
    """Return the first millisecond of the outage and the first one after it."""
    begin = settings.start_ms + int(settings.days * _DAYS_BEFORE) * _DAY_MS + _MORNING_MS
    return begin, begin + round(settings.dirt.producer_outage * 3_600_000)


def held_back(settings: SimulationSettings, source: Records, rows: Ints) -> Flags:
    """Tell which of the rows happened while their app was silent."""
    begin, end = outage(settings)
    at = source.event_ms[rows]
    held: Flags = (source.producer[rows] == SILENT_APP) & (begin <= at) & (at < end)
    return held


def in_a_lump(settings: SimulationSettings, log: str, ingest_ms: Ints, dirt: Array) -> Ints:
    """Return the arrivals, those of rows that were held back within two minutes of the outage's end."""
    _, end = outage(settings)
    lump = end + stream(settings.seed, f"outage:{log}").integers(0, LUMP_MS, len(ingest_ms))
    arrived: Ints = np.where(dirt == "producer_outage", lump, ingest_ms)
    return arrived
