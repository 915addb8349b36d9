"""Versions and aliases on a real sqlite registry, and on Unity Catalog's as an unmodified client sees it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.models import infer_signature

import training
from lake.errors import ConfigError, RefusedError
from tests.unity_catalog import UnityCatalog
from training.registry import ModelRegistry

PACKAGE = Path(training.__file__).parent


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The smallest model that can be logged from code."""
    path = tmp_path_factory.mktemp("model") / "constant.py"
    path.write_text(
        "import mlflow\nimport pandas as pd\n"
        "class Constant(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:\n"
        "        return model_input\n"
        "mlflow.models.set_model(Constant())\n",
        encoding="utf-8",
    )
    return str(path)


@pytest.fixture(params=["sqlite", "databricks-uc"])
def registry(
    store: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModelRegistry]:
    """A model name of this test alone."""
    name = f"tests.registry.{request.node.originalname}"
    if request.param == "sqlite":
        yield ModelRegistry(name, tracking_uri=store.uri)
        return
    with UnityCatalog() as catalog:
        monkeypatch.setenv("DATABRICKS_HOST", catalog.host)
        monkeypatch.setenv("DATABRICKS_TOKEN", "a token of nobody")
        monkeypatch.setenv("MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC", "true")
        before = mlflow.get_registry_uri()
        mlflow.set_registry_uri(request.param)
        yield ModelRegistry(name, tracking_uri=store.uri, registry_uri=request.param)
        mlflow.set_registry_uri(before)


@pytest.fixture
def train(store: Any, model_file: str) -> Any:
    """Return a function that logs one model and gives the id of its run."""
    one = pd.DataFrame({"amount": [1.0]})

    def log() -> str:
        with mlflow.start_run(experiment_id=store.experiment_id) as run:
            mlflow.pyfunc.log_model(
                name="model",
                python_model=model_file,
                pip_requirements=["mlflow-skinny"],
                input_example=one,
                signature=infer_signature(one, one),
            )
        return str(run.info.run_id)

    return log


@pytest.mark.parametrize("name", ["fraud", "a.b", "a.b.c.d", "a..c", "a.b.c'", "a b.c.d", "a.b/c.d"])
def test_a_name_without_three_levels_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="has not three levels; write catalog"):
        ModelRegistry(name, tracking_uri="sqlite://")


def test_registering_a_run_again_finds_its_version(registry: ModelRegistry, train: Any) -> None:
    first, second = train(), train()
    assert registry.register(first, tags={"run_key": "k1"}, description="five lines") == 1
    assert registry.register(second) == 2
    assert registry.register(first) == 1
    assert registry.versions() == [1, 2]
    assert registry.run_of(2) == second
    assert registry.tags(1) == {"run_key": "k1"}
    model = mlflow.pyfunc.load_model(registry.uri(1))
    assert model.metadata.run_id == first


def test_a_run_without_a_model_is_not_registered(registry: ModelRegistry, store: Any) -> None:
    run = MlflowClient().create_run(store.experiment_id)
    with pytest.raises(RefusedError, match="logged 0 models, none finished; train it again"):
        registry.register(run.info.run_id)
    assert registry.versions() == []


def test_a_name_never_registered_has_no_aliases(registry: ModelRegistry) -> None:
    assert registry.version_of("champion") is None
    assert registry.aliases() == {}


def test_promotion_keeps_the_old_champion_for_rolling_back(registry: ModelRegistry, train: Any) -> None:
    for _ in range(2):
        registry.register(train())
    registry.set_alias("challenger", 1)
    assert registry.promote(1) is None
    assert registry.aliases() == {"champion": 1}
    registry.set_alias("challenger", 2)
    assert registry.promote(2) == 1
    assert registry.aliases() == {"champion": 2, "rollback": 1}
    assert registry.promote(2) == 2
    assert registry.aliases() == {"champion": 2, "rollback": 1}
    registry.promote(1)
    assert registry.aliases() == {"champion": 1, "rollback": 2}


def test_a_promotion_killed_half_way_ends_the_same(registry: ModelRegistry, train: Any) -> None:
    for _ in range(2):
        registry.register(train())
    registry.promote(1)
    registry.set_alias("challenger", 2)
    registry.set_alias("rollback", 1)
    registry.promote(2)
    assert registry.aliases() == {"champion": 2, "rollback": 1}
    registry.set_alias("challenger", 2)
    registry.promote(2)
    assert registry.aliases() == {"champion": 2, "rollback": 1}


def test_a_version_is_copied_to_another_catalog_once_with_its_tags_and_files(
    registry: ModelRegistry, train: Any, store: Any
) -> None:
    run = train()
    registry.register(run, tags={"run_key": "k1", "gate": "promoted"})
    production = ModelRegistry(
        registry.name.replace("tests.", "production."),
        tracking_uri=store.uri,
        registry_uri=mlflow.get_registry_uri(),
    )
    assert production.copy(registry, 1) == 1
    assert production.copy(registry, 1) == 1
    assert production.versions() == [1]
    assert production.tags(1) == {"run_key": "k1", "gate": "promoted", "copied_from": registry.uri(1)}
    assert production.run_of(1) == run
    production.promote(1)
    assert (production.aliases(), registry.aliases()) == ({"champion": 1}, {})
    loaded = mlflow.pyfunc.load_model(production.uri(1))
    assert loaded.predict(pd.DataFrame({"amount": [1.0]}))["amount"].tolist() == [1.0]
    registry.register(train())
    assert production.copy(registry, 2) == 2


@pytest.mark.parametrize("alias", ["latest", "Latest", "v3", "V12"])
def test_reserved_aliases_are_refused(store: Any, alias: str) -> None:
    registry = ModelRegistry("tests.registry.reserved", tracking_uri=store.uri)
    with pytest.raises(ConfigError, match="is reserved by the registry"):
        registry.set_alias(alias, 1)


def test_tags_are_added_to_those_that_are_there(registry: ModelRegistry, train: Any) -> None:
    version = registry.register(train(), tags={"run_key": "k1"})
    registry.set_tags(version, {"gate": "refused", "gate_reasons": "too few frauds"})
    assert registry.tags(version) == {"run_key": "k1", "gate": "refused", "gate_reasons": "too few frauds"}


def test_no_call_is_used_that_one_of_the_registries_lacks() -> None:
    banned = {"transition_model_version_stage", "get_latest_versions", "search_registered_models"}
    found = {
        (path.name, node.attr)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in banned
    }
    assert found == set()
