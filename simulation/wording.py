"""How producers word an event: their schema changes on two dates, and not all of them change alike.

| schema version | from | what is sent |
|---|---|---|
| 1 | the start | the device as ``device`` |
| 2 | a third of the period | the device as ``device_id`` |
| 3 | two thirds | Android: the device as an object, times in milliseconds; iOS: times of another zone, no session; |
|   |            | the web: times without a zone; all: a login that succeeds is ``login_success`` |

Logs that servers write stay at version 1 and never change. Runs on executors; takes and returns plain values.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from simulation.columns import Ints
from simulation.settings import SimulationSettings

_DEVICE = "device_id"
_ABROAD = timezone(timedelta(hours=2))


def schema_versions(settings: SimulationSettings, event_ms: Ints, *, from_server: bool) -> Ints:
    """Return the version that each event is worded in."""
    if from_server or not settings.schema_changes:
        return np.ones(len(event_ms), dtype=np.int64)
    elapsed = (event_ms - settings.start_ms) / (settings.end_ms - settings.start_ms)
    versions: Ints = 1 + np.searchsorted(np.array([1 / 3, 2 / 3]), elapsed, side="right").astype(np.int64)
    return versions


def as_sent(record: dict[str, object], *, changes: bool) -> dict[str, object]:
    """Return the record of an event as its producer words it.

    Args:
        changes: whether the log is one that changes at all; otherwise the record is returned as it is.
    """
    if not changes:
        return record
    version, producer = record["schema_version"], str(record["producer"])
    if version == 1:
        return {"device" if name == _DEVICE else name: value for name, value in record.items()}
    if version == 2:  # noqa: PLR2004 - as the table above says
        return record
    sent = dict(record)
    if sent.get("kind") == "login_ok":
        sent["kind"] = "login_success"
    happened = _instant(str(sent["event_ts"]))
    if producer.startswith("android"):
        sent["device"] = {"id": sent.pop(_DEVICE), "app": producer}
        sent["event_ts"] = happened and (happened - datetime.fromtimestamp(0, UTC)) // timedelta(
            milliseconds=1
        )
    elif producer.startswith("ios"):
        sent.pop("session_id", None)
        sent["event_ts"] = happened and happened.astimezone(_ABROAD).isoformat(timespec="milliseconds")
    else:
        sent["event_ts"] = happened and happened.replace(tzinfo=None).isoformat(timespec="milliseconds")
    if happened is None:
        sent["event_ts"] = record["event_ts"]
    return sent


def _instant(text: str) -> datetime | None:
    """The instant, or None where dirt has taken its place."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
