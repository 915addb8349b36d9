"""Test traffic: lines that synthetic monitors and the platform's own testers add to those of its members.

Every identifier in them is of a range of its own, ``acc_test_000007``; monitors are known by their producer too.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, size, take
from simulation.dirt.kinds import HOUR_MS
from simulation.identifiers import event_ids, iso_text
from simulation.settings import SimulationSettings
from simulation.streams import happens

MONITOR = "synthetic-monitor"
_TESTERS = 12
_PLACEHOLDER = "Test, please ignore"


def test_traffic(rng: np.random.Generator, settings: SimulationSettings, lines: Columns) -> Columns:
    """Return new lines made after clean ones, up to six hours before or after, half of them by monitors."""
    drawn = happens(rng, settings.dirt.test_traffic, size(lines))
    like = take(lines, drawn & (lines["dirt"] == ""))
    count = size(like)
    tester = rng.integers(0, _TESTERS, count)
    shift = rng.integers(-6 * HOUR_MS, 6 * HOUR_MS, count)
    at = np.maximum(like["event_ms"] + shift, settings.start_ms)
    made = like | {
        "event_id": event_ids(at, rng).astype(object),
        "event_ts": iso_text(at).astype(object),
        "event_ms": at,
        "ingest_ms": like["ingest_ms"] + at - like["event_ms"],
        "dirt": np.full(count, "test_traffic"),
        "producer": np.where(happens(rng, 0.5, count), MONITOR, like["producer"]),
    }
    numbers = {"acc": tester, "dev": tester}
    for field in [name for name in like if name.endswith("_id") and name != "event_id"]:
        told = np.array([value is not None for value in like[field].tolist()], dtype=bool)
        prefix = str(like[field][told][0]).partition("_")[0] if told.any() else ""
        made[field] = _of_the_range(prefix, numbers.get(prefix, like["row"]))
        made[field][~told] = None
    if "ip" in made:
        made["ip"] = np.array([f"203.0.113.{number + 1}" for number in tester.tolist()], dtype=object)
    for text in ("title", "description", "cover_letter", "body", "comment"):
        if text in made:
            made[text] = np.full(count, _PLACEHOLDER, dtype=object)
    return made


def _of_the_range(prefix: str, numbers: Array) -> Array:
    return np.array([f"{prefix}_test_{number:06}" for number in numbers.tolist()], dtype=object)
