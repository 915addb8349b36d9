"""The run of a training: found again by its key, and ended as what became of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from training.training_run import open_run

RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def test_a_run_that_failed_is_found_again_by_its_key_and_ends_as_it_ends(store: Any) -> None:
    client = MlflowClient(store.uri)
    with (
        pytest.raises(KeyboardInterrupt),
        open_run(client, store.experiment_id, "key of a run", "a run") as first,
    ):
        raise KeyboardInterrupt
    assert client.get_run(first).info.status == "FAILED"
    with open_run(client, store.experiment_id, "key of a run", "a run") as second:
        active = mlflow.active_run()
        assert active is not None
        assert active.info.run_id == second == first
    assert client.get_run(first).info.status == "FINISHED"
    assert mlflow.active_run() is None


@pytest.mark.parametrize("retries", [None, "3"])
def test_a_server_that_went_down_hides_no_error_and_is_asked_once(
    store: Any, hanging_up: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch, retries: str | None
) -> None:
    address, asked = hanging_up
    monkeypatch.delenv(RETRIES, raising=False)
    if retries is not None:
        monkeypatch.setenv(RETRIES, retries)
    run = open_run(MlflowClient(store.uri), store.experiment_id, f"down, {retries}", "a run")
    with pytest.raises(ValueError, match="a trial cannot be written"), run:
        _fail_where_the_server_is(address)
    assert len(asked) == 1
    assert os.environ.get(RETRIES) == retries
    assert mlflow.active_run() is None


def _fail_where_the_server_is(address: str) -> None:
    mlflow.set_tracking_uri(address)
    raise ValueError("a trial cannot be written")


@pytest.fixture
def hanging_up() -> Iterator[tuple[str, list[int]]]:
    """The address of a server that hangs up on everybody, and a list with an entry for each who asked."""
    asked: list[int] = []

    class HangingUp(BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.client_address[1])

    with TCPServer(("127.0.0.1", 0), HangingUp) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
