"""One sqlite tracking store for the tests that log or register models; creating its schema takes seconds."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from pyspark.sql import DataFrame, SparkSession

from training.sweep.child_runs import ChildRuns


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


@pytest.fixture(scope="module")
def fold(_session: SparkSession) -> DataFrame:
    """A validation fold of 300 rows and two features, of which the first one tells something."""
    rng = np.random.default_rng(4)
    features = rng.normal(size=(300, 2)).astype(np.float32)
    is_fraud = features[:, 0] + rng.normal(size=300) > 1
    rows = [(f"{n:03}", bool(is_fraud[n]), n >= 200, [float(x) for x in features[n]]) for n in range(300)]
    schema = "row string, is_fraud boolean, is_validation boolean, features array<float>"
    return _session.createDataFrame(rows, schema).repartition(1).cache()


@pytest.fixture
def runs(store: Store) -> Callable[[], ChildRuns]:
    """Makes the child runs of a new parent."""
    client = MlflowClient(store.uri)

    def below_a_new_run() -> ChildRuns:
        return ChildRuns(client, store.experiment_id, client.create_run(store.experiment_id).info.run_id)

    return below_a_new_run
