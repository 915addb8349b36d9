"""The doctor names what is wrong and what to do, and ends with an error if something failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from operations.cli import main
from operations.doctor.finding import State
from operations.doctor.machine import GIGABYTE, check_disk, check_pyspark_python
from operations.doctor.packages import (
    PACKAGES,
    check_names,
    check_pandas,
    check_spark_and_delta,
    check_xgboost,
)
from operations.doctor.spark import check_executors, check_slots

FITTING = {"pyspark": "4.2.0", "delta-spark": "4.4.0"}
OURS = {name: ["trustlake"] for name in PACKAGES}


@pytest.mark.parametrize(
    ("versions", "state", "text"),
    [
        (FITTING, State.OK, "Scala 2.13"),
        ({"pyspark": "4.2.0"}, State.FAIL, "delta-spark not installed"),
        ({**FITTING, "pyspark": "3.5.1"}, State.FAIL, "pyspark 3.5.1"),
        ({**FITTING, "delta-spark": "4.4.1"}, State.FAIL, "jars are not in Maven Central"),
    ],
)
def test_spark_and_delta_must_fit(versions: dict[str, str], state: State, text: str) -> None:
    finding = check_spark_and_delta(versions)
    assert (finding.state, text in finding.found) == (state, True)


@pytest.mark.parametrize(
    ("versions", "state"),
    [({"pandas": "2.3.3"}, State.OK), ({"pandas": "3.1.1"}, State.FAIL), ({}, State.FAIL)],
)
def test_pandas_must_be_there_and_older_than_3(versions: dict[str, str], state: State) -> None:
    assert check_pandas(versions).state is state


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        ({"xgboost-cpu": "3.2.0"}, State.OK),
        ({"xgboost": "3.2.0"}, State.OK),
        ({"xgboost": "3.2.0", "xgboost-cpu": "3.2.0"}, State.FAIL),
        ({}, State.FAIL),
    ],
)
def test_exactly_one_wheel_may_bring_xgboost(versions: dict[str, str], state: State) -> None:
    assert check_xgboost(versions).state is state


def test_a_package_name_that_another_distribution_claims_is_a_failure() -> None:
    finding = check_names({**OURS, "features": ["trustlake", "intruder"]})
    assert finding.state is State.FAIL
    assert finding.found == "features also comes from intruder"


def test_running_from_a_folder_is_a_warning() -> None:
    assert check_names(OURS).state is State.OK
    assert check_names({}).state is State.WARN


@pytest.mark.parametrize(
    ("free", "state"), [(1 * GIGABYTE, State.FAIL), (5 * GIGABYTE, State.WARN), (50 * GIGABYTE, State.OK)]
)
def test_little_room_on_disk_is_told(free: int, state: State) -> None:
    assert check_disk(Path("lake"), free).state is state


def test_a_python_for_executors_that_does_not_run_is_a_failure() -> None:
    assert check_pyspark_python(None).state is State.OK
    assert check_pyspark_python("/no/such/python").state is State.FAIL


@pytest.mark.parametrize(("workers", "state"), [(None, State.OK), (2, State.OK), (3, State.FAIL)])
def test_more_training_workers_than_slots_is_a_failure(workers: int | None, state: State) -> None:
    assert check_slots(2, workers).state is state


def test_executors_of_the_test_session_have_what_tasks_import(spark: SparkSession) -> None:
    finding = check_executors(spark)
    assert finding.state is State.OK, finding.found


def test_every_failure_comes_with_advice_and_ends_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "/no/such/python")
    assert main(["doctor"]) == 1
    said = capsys.readouterr()
    assert "FAIL  PYSPARK_PYTHON   /no/such/python does not run" in said.out
    assert "-> unset it, or set it to" in said.out
    assert "mend first: PYSPARK_PYTHON" in said.out
    findings = [line for line in said.out.splitlines() if "->" not in line]
    assert said.err == f"trustlake doctor: 1 of {len(findings)} checks failed: PYSPARK_PYTHON\n"


def test_a_healthy_environment_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    assert main(["doctor", "--no-spark"]) == 0, capsys.readouterr().out


def test_the_configuration_is_checked_before_spark_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    config = tmp_path / "base.yml"
    config.write_text("spark:\n  mastre: local[2]\n", encoding="utf-8")
    assert main(["doctor", "--config", str(config)]) == 2
    assert f"{config}:2: unknown key mastre" in capsys.readouterr().err
