"""One holder per job and slice: a row in ``locks`` whose heartbeat goes on while the holder lives.

Two acquisitions at once read and write the same row, so Delta lets one commit and tells the other.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyspark.sql import Row
from pyspark.sql import functions as F

from lake.conflicts import CONFLICTS
from lake.described import described
from lake.errors import LockedError
from lake.quoted import quoted
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

HEARTBEAT = timedelta(seconds=60)  # a commit each
STALE_AFTER = timedelta(seconds=180)
_POLL_SECONDS = 2.0
_ATTEMPTS = 5
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Claim:
    """A job and the slice of data it wants to itself."""

    job: str
    slice: str


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
        _patiently(lake, f"DELETE FROM {lake.place(LOCKS.name)} WHERE {_ours(lake, claim)}")


def check_none_held(
    lake: Lake, jobs: Collection[str], clock: Clock, *, wait: timedelta = timedelta(0)
) -> None:
    """Refuse to go on while another run works on any slice of one of these jobs.

    Raises:
        LockedError: a live process still does after ``wait``.
    """
    deadline, others = clock() + wait, F.col("job").isin(*jobs) & (F.col("run_id") != lake.stamp.run_id)
    while living := [row for row in lake.read(LOCKS.name).where(others).collect() if _lives(row, clock())]:
        if clock() >= deadline:
            raise _locked(living[0])
        time.sleep(_POLL_SECONDS)


def _acquire(lake: Lake, claim: Claim, clock: Clock, wait: timedelta) -> None:
    deadline = clock() + wait
    while not _take(lake, claim, clock()):
        found = _row(lake, claim)
        lives = found is not None and _lives(found, clock())
        if found is not None and not lives and _take(lake, claim, clock(), stale=found):
            return
        if found is not None and lives and clock() >= deadline:
            raise _locked(found)
        time.sleep(_POLL_SECONDS if lives else 0.1)


def _locked(row: Row) -> LockedError:
    return LockedError(
        f"{row['job']} {row['slice']} is being worked on by {row['holder']} (run {row['run_id']}); "
        "wait for it (--wait 10m), or end that process: its lock is then taken over"
    )


def _row(lake: Lake, claim: Claim) -> Row | None:
    return lake.read(LOCKS.name).where((F.col("job") == claim.job) & (F.col("slice") == claim.slice)).head()


def _lives(row: Row, now: datetime) -> bool:
    return now - row["heartbeat_at"].replace(tzinfo=UTC) < STALE_AFTER and not _dead(row["holder"])


def _take(lake: Lake, claim: Claim, now: datetime, *, stale: Row | None = None) -> bool:
    """Put our row where there was none, or in the place of ``stale``; False where another process has the lock."""
    take_over = ""
    if stale is not None:
        beat = _literal(stale["heartbeat_at"].replace(tzinfo=UTC))
        same = f"held.run_id = {quoted(stale['run_id'])} AND held.heartbeat_at = {beat}"
        take_over = f"WHEN MATCHED AND {same} THEN UPDATE SET *"
    # One statement, so that Delta sees what it read and what it wrote as one.
    statement = f"""
        MERGE INTO {lake.place(LOCKS.name)} AS held
        USING (SELECT {quoted(claim.job)} AS job, {quoted(claim.slice)} AS slice, {quoted(this_process())} AS holder,
               {quoted(lake.stamp.run_id)} AS run_id, {_literal(now)} AS heartbeat_at) AS ours
        ON held.job = ours.job AND held.slice = ours.slice
        {take_over}
        WHEN NOT MATCHED THEN INSERT *
    """
    try:
        (done,) = lake.spark.sql(statement).collect()
    except CONFLICTS:
        return False
    return bool(done["num_affected_rows"])


def _beat(lake: Lake, claim: Claim, clock: Clock, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT.total_seconds()):
        # Where this process slept so long that another took over, no row is ours and nothing changes.
        renew = f"UPDATE {lake.place(LOCKS.name)} SET heartbeat_at = {_literal(clock())} WHERE {_ours(lake, claim)}"
        with suppress(*CONFLICTS):  # the next beat is in time
            _patiently(lake, renew)


def _ours(lake: Lake, claim: Claim) -> str:
    return f"job = {quoted(claim.job)} AND slice = {quoted(claim.slice)} AND run_id = {quoted(lake.stamp.run_id)}"


def _literal(moment: datetime) -> str:
    return f"timestamp '{moment.isoformat()}'"


def _patiently(lake: Lake, statement: str) -> None:
    """Change our own row while other jobs change theirs in the same table."""
    for attempt in range(_ATTEMPTS):
        try:
            lake.spark.sql(statement)
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
