"""One sqlite tracking store for the tests that log or register models; creating its schema takes seconds."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient


@dataclass(frozen=True)
class Store:
    """A tracking and registry store of its own, with one experiment whose artifacts lie beside it."""

    uri: str
    experiment_id: str
    folder: Path


@pytest.fixture(scope="session")
def _store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'store.db'}"
    with warnings.catch_warnings():
        # MLflow warns of its own code, once, while its store and its pyfunc package are imported.
        warnings.filterwarnings(
            "ignore", message=".*loader strategy is deprecated", category=DeprecationWarning
        )
        warnings.filterwarnings("ignore", message=".*inferred as AnyType", category=UserWarning)
        importlib.import_module("mlflow.pyfunc.model")
        client = MlflowClient(tracking_uri=uri)
        experiment = client.create_experiment("tests", artifact_location=(folder / "artifacts").as_uri())
    return Store(uri=uri, experiment_id=experiment, folder=folder)


@pytest.fixture
def store(_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of the run, active for this test only."""
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(_store.uri)
    yield _store
    mlflow.set_tracking_uri(before)
