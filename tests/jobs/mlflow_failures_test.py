"""A server that does not answer, told in a line."""

from __future__ import annotations

import pytest
from mlflow import MlflowClient

from jobs.mlflow_failures import mlflow_failures
from lake.errors import TrustlakeError


def test_a_server_that_does_not_answer_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrustlakeError) as told, mlflow_failures():
        MlflowClient("http://127.0.0.1:1").get_run("1" * 32)
    said = str(told.value)
    assert said.startswith("MLflow does not do what is asked of it: API request to http://127.0.0.1:1/")
    assert said.endswith("or its folder (mlflow.store), and run the same command again")
    assert "\n" not in said


def test_what_is_no_failure_of_mlflow_stays_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), mlflow_failures():
        _ = 1 // 0
