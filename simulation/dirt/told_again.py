"""Lines that tell an event once more: second deliveries under its id, and retries of a client under a new one."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, size, take
from simulation.dirt.kinds import HOUR_MS
from simulation.identifiers import event_ids
from simulation.settings import SimulationSettings
from simulation.streams import happens

BURST_MS = 120_000
_DAYS_BEFORE_REPLAY = 0.7


def second_deliveries(rng: np.random.Generator, lines: Columns) -> Columns:
    """Return the lines with ``exact_duplicate`` once more, two minutes to ten hours later."""
    again = take(lines, lines["dirt"] == "exact_duplicate")
    minutes = np.exp(rng.uniform(np.log(2), np.log(600), size(again)))
    return again | {"ingest_ms": again["ingest_ms"] + (minutes * 60_000).astype(np.int64)}


def bursts(settings: SimulationSettings) -> tuple[int, ...]:
    """Return when the collector begins to deliver once more what it got on the replay day (epoch milliseconds)."""
    day = settings.start_ms + int(settings.days * _DAYS_BEFORE_REPLAY) * 24 * HOUR_MS
    return tuple(day + hour * HOUR_MS for hour in (8, 16, 24))


def replayed(rng: np.random.Generator, settings: SimulationSettings, lines: Columns) -> Columns:
    """Return a share of the clean lines of the replay day once more, within two minutes after the next burst."""
    begins = np.array(bursts(settings))
    drawn = happens(rng, settings.dirt.replayed_day, size(lines)) & (lines["dirt"] == "")
    on_the_day = (begins[-1] - 24 * HOUR_MS <= lines["ingest_ms"]) & (lines["ingest_ms"] < begins[-1])
    again = take(lines, drawn & on_the_day)
    burst = begins[np.searchsorted(begins, again["ingest_ms"], side="right")]
    return again | {
        "ingest_ms": burst + rng.integers(0, BURST_MS, size(again)),
        "dirt": np.full(size(again), "replayed_day"),
    }


def retries(rng: np.random.Generator, lines: Columns) -> Columns:
    """Return the lines with ``near_duplicate`` once more under new ids, 3 seconds to 10 minutes later."""
    again = take(lines, lines["dirt"] == "near_duplicate")
    seconds = np.exp(rng.uniform(np.log(3), np.log(600), size(again)))
    return again | {
        "event_id": event_ids(again["event_ms"], rng).astype(object),
        "ingest_ms": again["ingest_ms"] + (seconds * 1000).astype(np.int64),
    }
