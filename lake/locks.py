"""One holder per job and slice: a row in ``locks`` whose heartbeat goes on while the holder lives.

Two acquisitions at once read and replace the same rows, so Delta lets one commit and tells the other.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyspark.sql import functions as F

from lake.conflicts import CONFLICTS
from lake.described import described
from lake.errors import LockedError
from lake.tables import Lake, TableSpec

LOCKS = TableSpec(
    "locks",
    "One row per job and slice that a process works on",
    described(
        "job string: Job",
        "slice string: What part of the data it works on",
        "holder string: host:process:start of the process",
        "run_id string: Run that holds it",
        "heartbeat_at timestamp: Last sign of life (UTC)",
    ),
)

HEARTBEAT = timedelta(seconds=20)
STALE_AFTER = timedelta(seconds=90)
_POLL_SECONDS = 2.0
_ATTEMPTS = 5

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Claim:
    """A job and the slice of data it wants to itself."""

    job: str
    slice: str

    @property
    def where(self) -> str:
        quoted = self.slice.replace("'", "''")
        return f"job = '{self.job}' AND slice = '{quoted}'"


def this_process() -> str:
    """``host:process:start`` of this process; a process id that was given out again has another start."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


@contextmanager
def held(lake: Lake, claim: Claim, clock: Clock, *, wait: timedelta = timedelta(0)) -> Iterator[None]:
    """Hold the lock for the body; a stale one is taken over.

    Raises:
        LockedError: another live process still holds it after ``wait``.
    """
    lake.ensure(LOCKS)
    _acquire(lake, claim, clock, wait)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(lake, claim, clock, stop), daemon=True)
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()
        _persist(lake, claim, None)


def _acquire(lake: Lake, claim: Claim, clock: Clock, wait: timedelta) -> None:
    deadline = clock() + wait
    while True:
        holder = _live_holder(lake, claim, clock())
        if holder is None and _take(lake, claim, clock):
            return
        if holder is not None and clock() >= deadline:
            raise LockedError(
                f"{claim.job} {claim.slice} is being worked on by {holder}; "
                "wait for it (--wait 10m), or end that process: its lock is then taken over"
            )
        time.sleep(_POLL_SECONDS if holder else 0.1)


def _take(lake: Lake, claim: Claim, clock: Clock) -> bool:
    """Write our row; False where another process did so at the same time."""
    try:
        _write(lake, claim, clock(), where=claim.where)
    except CONFLICTS:
        return False
    return _live_holder(lake, claim, clock(), but=lake.stamp.run_id) is None


def _live_holder(lake: Lake, claim: Claim, now: datetime, *, but: str = "") -> str | None:
    """The process that holds the lock and lives, but for the run that asks."""
    rows = lake.read(LOCKS.name).where(claim.where).where(F.col("run_id") != but).collect()
    live = [
        row
        for row in rows
        if now - row.heartbeat_at.replace(tzinfo=UTC) < STALE_AFTER and not _dead(row.holder)
    ]
    return f"{live[0].holder} (run {live[0].run_id})" if live else None


def _write(lake: Lake, claim: Claim, heartbeat_at: datetime | None, *, where: str) -> None:
    """Replace the rows that fulfil ``where`` by ours, or by none."""
    rows = []
    if heartbeat_at is not None:
        rows.append((claim.job, claim.slice, this_process(), lake.stamp.run_id, heartbeat_at))
    lake.replace(LOCKS.name, lake.spark.createDataFrame(rows, LOCKS.schema), where=where)


def _beat(lake: Lake, claim: Claim, clock: Clock, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT.total_seconds()):
        if lake.read(LOCKS.name).where(_ours(lake, claim)).head() is None:
            return  # this process slept so long that another took over
        with suppress(*CONFLICTS):  # the next beat is in time
            _persist(lake, claim, clock())


def _ours(lake: Lake, claim: Claim) -> str:
    return f"{claim.where} AND run_id = '{lake.stamp.run_id}'"


def _persist(lake: Lake, claim: Claim, heartbeat_at: datetime | None) -> None:
    """Write or remove our own row while other jobs write theirs to the same table."""
    for attempt in range(_ATTEMPTS):
        try:
            _write(lake, claim, heartbeat_at, where=_ours(lake, claim))
        except CONFLICTS:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.2 * (attempt + 1))
        else:
            return


def _dead(holder: str) -> bool:
    """True where the holder ran on this machine and is gone."""
    host, process, start = holder.rsplit(":", 2)
    return host == socket.gethostname() and _started(int(process)) != start


def _started(process: int) -> str:
    """When a process of this machine started, in clock ticks since boot; ``gone`` where none runs under this id."""
    try:
        state, *rest = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return "gone"
    return "gone" if state in {"Z", "X"} else rest[18]
