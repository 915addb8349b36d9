"""Lines that tell an event once more: second deliveries under its id, and retries of a client under a new one."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, size, take
from simulation.identifiers import event_ids


def second_deliveries(rng: np.random.Generator, lines: Columns) -> Columns:
    """Return the lines with ``exact_duplicate`` once more, two minutes to ten hours later."""
    again = take(lines, lines["dirt"] == "exact_duplicate")
    minutes = np.exp(rng.uniform(np.log(2), np.log(600), size(again)))
    return again | {"ingest_ms": again["ingest_ms"] + (minutes * 60_000).astype(np.int64)}


def retries(rng: np.random.Generator, lines: Columns) -> Columns:
    """Return the lines with ``near_duplicate`` once more under new ids, 3 seconds to 10 minutes later."""
    again = take(lines, lines["dirt"] == "near_duplicate")
    seconds = np.exp(rng.uniform(np.log(3), np.log(600), size(again)))
    return again | {
        "event_id": event_ids(again["event_ms"], rng).astype(object),
        "ingest_ms": again["ingest_ms"] + (seconds * 1000).astype(np.int64),
    }
