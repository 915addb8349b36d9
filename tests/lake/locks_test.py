"""One holder per job and slice: refusal, waiting, take-over of what is stale or dead, release."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from lake import locks
from lake.errors import LockedError
from lake.locks import LOCKS, Claim, held, this_process
from lake.settings import LakeSettings
from lake.tables import CommitStamp, Lake

LONG = timedelta(minutes=5)


def now() -> datetime:
    return datetime.now(UTC)


def run_of(lake: Lake, run_id: str) -> Lake:
    """Another run of a job on the same lake."""
    return Lake(lake.spark, lake.settings, CommitStamp(run_id=run_id, code_version="c", config_hash="h"))


def rows_of(lake: Lake, claim: Claim) -> list[Row]:
    mine = (F.col("job") == claim.job) & (F.col("slice") == claim.slice)
    return lake.read(LOCKS.name).where(mine).collect()


def holders(lake: Lake, claim: Claim) -> list[str]:
    return [row["run_id"] for row in rows_of(lake, claim)]


def leave(lake: Lake, claim: Claim, holder: str, heartbeat_at: datetime) -> None:
    """A lock as a run that ended without a word leaves it."""
    lake.ensure(LOCKS)
    row = (claim.job, claim.slice, holder, "gone", heartbeat_at)
    lake.append(LOCKS.name, lake.spark.createDataFrame([row], LOCKS.schema))


def test_a_second_copy_is_refused_with_the_holders_name(lake: Lake) -> None:
    claim = Claim("ingest_logs", "it's all")
    with held(lake, claim, now):
        with pytest.raises(LockedError) as caught, held(run_of(lake, "run-2"), claim, now):
            pass
        text = f"ingest_logs it's all is being worked on by {this_process()} (run run-1); wait for it (--wait 10m)"
        assert text in str(caught.value)
        with held(run_of(lake, "run-3"), Claim("ingest_logs", "another slice"), now):
            assert holders(lake, claim) == ["run-1"]
    assert holders(lake, claim) == []


def test_a_waiting_copy_goes_on_when_the_holder_ends(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_POLL_SECONDS", 0.1)
    claim = Claim("train_model", "waiting")
    ended = threading.Event()
    stack = ExitStack()
    stack.enter_context(held(lake, claim, now))

    def end() -> None:
        time.sleep(1)
        ended.set()
        stack.close()

    other = threading.Thread(target=end)
    other.start()
    with held(run_of(lake, "run-2"), claim, now, wait=LONG):
        assert ended.is_set()
        assert holders(lake, claim) == ["run-2"]
    other.join()


@pytest.mark.parametrize("reaped", [True, False])
def test_the_lock_of_a_killed_process_of_this_machine_is_taken_over_at_once(
    lake: Lake, *, reaped: bool
) -> None:
    claim = Claim("score_events", f"killed {reaped}")
    with subprocess.Popen(["sleep", "600"]) as process:
        started = locks._started(process.pid)  # noqa: SLF001 - what the process would have written itself
        leave(lake, claim, f"{socket.gethostname()}:{process.pid}:{started}", now())
        with pytest.raises(LockedError, match=f":{process.pid}:{started}"), held(lake, claim, now):
            pass
        os.kill(process.pid, signal.SIGKILL)
        if reaped:
            process.wait()
        else:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with held(lake, claim, now):
            assert holders(lake, claim) == ["run-1"]


def test_a_process_id_given_out_again_does_not_keep_a_lock(lake: Lake) -> None:
    claim = Claim("score_events", "pid again")
    leave(lake, claim, f"{socket.gethostname()}:{os.getpid()}:1", now())
    with held(lake, claim, now):
        assert holders(lake, claim) == ["run-1"]


def test_another_machines_lock_is_taken_over_when_its_heartbeat_stops(lake: Lake) -> None:
    claim = Claim("score_events", "elsewhere")
    beat = now()
    leave(lake, claim, "elsewhere:1:2", beat)
    with (
        pytest.raises(LockedError, match="elsewhere:1:2"),
        held(lake, claim, lambda: beat + timedelta(seconds=179)),
    ):
        pass
    with held(lake, claim, lambda: beat + timedelta(seconds=180)):
        assert holders(lake, claim) == ["run-1"]


def test_of_two_that_ask_at_once_one_gets_it(spark: SparkSession, tmp_path: Path) -> None:
    empty = Lake(
        spark, LakeSettings(root=str(tmp_path)), CommitStamp(run_id="", code_version="c", config_hash="h")
    )
    claim = Claim("ingest_logs", "at once")
    both_ready, both_done = threading.Barrier(2, timeout=120), threading.Barrier(2, timeout=120)
    results: dict[str, str] = {}

    def ask(run_id: str) -> None:
        both_ready.wait()
        try:
            with held(run_of(empty, run_id), claim, now):
                results[run_id] = "held"
                both_done.wait()
        except LockedError as error:
            results[run_id] = str(error)
            both_done.wait()

    threads = [threading.Thread(target=ask, args=(run_id,)) for run_id in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [run_id for run_id, result in results.items() if result == "held"]
    (loser,) = [run_id for run_id in results if run_id != winner]
    assert f"(run {winner})" in results[loser]
    assert holders(empty, claim) == []


def test_a_lock_that_was_free_a_moment_ago_is_not_taken_from_its_new_holder(lake: Lake) -> None:
    claim = Claim("ingest_logs", "a moment ago")
    late = run_of(lake, "run-2")
    leave(lake, claim, "elsewhere:1:2", now() - timedelta(seconds=181))
    stale = rows_of(lake, claim)[0]
    with held(lake, claim, now):
        assert locks._take(late, claim, now()) is False  # noqa: SLF001 - between its two steps
        assert locks._take(late, claim, now(), stale=stale) is False  # noqa: SLF001 - as above
        assert holders(lake, claim) == ["run-1"]


def test_the_lock_is_released_after_an_error(lake: Lake) -> None:
    claim = Claim("train_model", "fails")
    with pytest.raises(ZeroDivisionError), held(lake, claim, now):
        raise ZeroDivisionError
    assert holders(lake, claim) == []


def test_the_heartbeat_goes_on_while_the_work_does(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "HEARTBEAT", timedelta(seconds=0.2))
    claim = Claim("train_model", "long")
    first = now()
    ticks = iter(first + timedelta(seconds=n) for n in range(10_000))
    with held(lake, claim, lambda: next(ticks)):
        beats: set[datetime] = set()
        deadline = time.monotonic() + 60
        while len(beats) < 2 and time.monotonic() < deadline:
            beats |= {row["heartbeat_at"] for row in rows_of(lake, claim)}
    assert len(beats) >= 2


def test_a_holder_that_was_taken_over_leaves_the_new_holders_lock_alone(lake: Lake) -> None:
    claim = Claim("train_model", "overslept")
    late = ExitStack()
    late.enter_context(held(lake, claim, now))
    with held(run_of(lake, "run-2"), claim, lambda: now() + timedelta(seconds=181)):
        assert holders(lake, claim) == ["run-2"]
        late.close()
        assert holders(lake, claim) == ["run-2"]
