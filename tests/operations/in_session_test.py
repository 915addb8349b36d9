"""Tasks in one session: what they may take, and that the next ones do not notice."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from operations.workflows.in_session import InSession
from operations.workflows.processes import TooLongError
from tests.operations.demo_test import FILES, PLACES, ROOT


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "places.yml").write_text(PLACES, encoding="utf-8")
    files = [*(str(ROOT / file) for file in FILES), str(tmp_path / "places.yml")]
    return [part for file in files for part in ("--config", file)]


def test_a_job_that_takes_too_long_loses_its_spark_jobs_and_the_session_goes_on(
    spark: SparkSession, tmp_path: Path, arguments: list[str]
) -> None:
    session = InSession(tmp_path)
    with pytest.raises(TooLongError, match="simulate_logs took more than 1 s"):
        session.carry_out("simulate_logs", arguments, "late", 1.0)
    assert "cancelled" in (tmp_path / "late.log").read_text(encoding="utf-8")
    assert session.finished == []
    assert spark.range(7).count() == 7


def test_a_job_ends_soon_when_the_run_is_interrupted(
    spark: SparkSession, tmp_path: Path, arguments: list[str]
) -> None:
    session = InSession(tmp_path)
    codes: list[int] = []
    working = threading.Thread(
        target=lambda: codes.append(session.carry_out("simulate_logs", arguments, "stopped", None))
    )
    working.start()
    while not spark.sparkContext.statusTracker().getActiveJobsIds():
        time.sleep(0.01)
    session.stop()
    working.join()
    assert codes == [1]
    assert "cancelled" in (tmp_path / "stopped.log").read_text(encoding="utf-8")
    assert session.finished == []


def test_what_is_no_job_or_no_argument_ends_as_its_command_would(tmp_path: Path) -> None:
    session = InSession(tmp_path)
    assert session.carry_out("no_job", [], "none", None) == 2
    assert session.carry_out("simulate_logs", ["--no-such-argument"], "wrong", None) == 2
    assert "'no_job' is no job" in (tmp_path / "none.log").read_text(encoding="utf-8")
    assert "unrecognized arguments: --no-such-argument" in (tmp_path / "wrong.log").read_text(
        encoding="utf-8"
    )


def test_a_job_is_heard_on_the_terminal_too_where_it_is_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for aloud in (True, False):
        assert InSession(tmp_path, aloud=aloud).carry_out("no_job", [], f"{aloud}", None) == 2
        assert ("is no job" in capsys.readouterr().err) is aloud
