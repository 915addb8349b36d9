"""How producers word an event: their schema changes on two dates, and not all of them change alike.

| schema version | from | what is sent |
|---|---|---|
| 1 | the start | the device as ``device`` |
| 2 | a third of the period | the device as ``device_id`` |
| 3 | two thirds | Android: the device as an object, times in milliseconds; iOS: times of another zone, no session; |
|   |            | the web: times without a zone; all: a login that succeeds is ``login_success`` |

What servers write is of version 2 all the time. Runs on executors; takes and returns plain values.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from simulation.columns import Ints
from simulation.settings import SimulationSettings

# The version whose fields are those of the records.
CANONICAL = 2

_DEVICE = "device_id"
_ABROAD = timezone(timedelta(hours=2))


def schema_versions(settings: SimulationSettings, event_ms: Ints, *, from_server: bool) -> Ints:
    """Return the version that each event is worded in."""
    if from_server or not settings.schema_changes:
        return np.full(len(event_ms), CANONICAL, dtype=np.int64)
    elapsed = (event_ms - settings.start_ms) / (settings.end_ms - settings.start_ms)
    versions: Ints = 1 + np.searchsorted(np.array([1 / 3, 2 / 3]), elapsed, side="right").astype(np.int64)
    return versions


def as_sent(record: dict[str, object]) -> dict[str, object]:
    """Return the record of an event as its producer words it."""
    version = record["schema_version"]
    if version == CANONICAL:
        return record
    if version == 1:
        return {"device" if name == _DEVICE else name: value for name, value in record.items()}
    sent, producer = dict(record), str(record["producer"])
    if sent.get("kind") == "login_ok":
        sent["kind"] = "login_success"
    if producer.startswith("android"):
        sent["device"] = {"id": sent.pop(_DEVICE), "app": producer}
    if producer.startswith("ios"):
        sent.pop("session_id", None)
    happened = _instant(str(record["event_ts"]))
    return sent if happened is None else sent | {"event_ts": _time(happened, producer)}


def _time(happened: datetime, producer: str) -> str | int:
    """Return a time as version 3 of an app writes it."""
    if producer.startswith("android"):
        return (happened - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    local = happened.astimezone(_ABROAD) if producer.startswith("ios") else happened.replace(tzinfo=None)
    return local.isoformat(timespec="milliseconds")


def _instant(text: str) -> datetime | None:
    """The instant, or None where dirt has taken its place."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
