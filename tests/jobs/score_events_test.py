"""Scores of a range: by the champion alone, one a row, the same again, and never on features of another definition."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from pyspark.sql import SparkSession

from features.definition_hash import definition_hash
from jobs.build_features import BuildFeatures
from jobs.registry import experiment_id, registry_of
from jobs.score_events import ScoreEvents
from lake.errors import RefusedError, SchemaError
from scoring.scorer import check_definition, check_offered
from training.artefact.contract import ModelContract
from training.artefact.log import log_artefact
from training.registry import CHAMPION

MARCH = ("--from", "2026-03-01", "--to", "2026-04-01")
TYPES = {"amount": "decimal(18,2)", "tries": "bigint"}


def contract_of(**changes: Any) -> ModelContract:
    written: dict[str, Any] = {
        "model": "trustlake.tests.fraud",
        "feature_names": tuple(TYPES),
        "feature_types": tuple(TYPES.values()),
        "definition_hash": "9f31c0",
        "view": "payments",
        "row_id": "payment_id",
        "target": "fraud",
        "trained_from": datetime(2026, 1, 1, tzinfo=UTC),
        "trained_to": datetime(2026, 2, 1, tzinfo=UTC),
        "best_iteration": 2,
        "code_version": "c",
    }
    return ModelContract(**(written | changes))


def test_features_that_the_model_was_trained_on_may_come_with_others_in_any_order() -> None:
    check_offered(contract_of(), {"extra": "string", "tries": "bigint", "amount": "decimal(18,2)"}, table="t")


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ({"amount": "decimal(18,2)"}, "tries is absent, the model was trained on bigint. "),
        (TYPES | {"tries": "double"}, "tries is double, the model was trained on bigint. "),
        (
            {},
            "amount is absent, the model was trained on decimal(18,2); tries is absent, the model was trained",
        ),
    ],
)
def test_other_features_than_the_models_are_told_at_once(offered: dict[str, str], expected: str) -> None:
    with pytest.raises(SchemaError) as caught:
        check_offered(contract_of(), offered, table="features_payments")
    text = str(caught.value)
    assert text.startswith(f"features_payments does not offer what trustlake.tests.fraud needs: {expected}")
    assert text.endswith("Build the features by the definition of the model, or train again")


def test_rows_of_another_definition_are_refused(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("9f31c0",), ("77ab02",)], "definition_hash string")
    check_definition(contract_of(), rows.where("definition_hash = '9f31c0'"), table="t")
    with pytest.raises(SchemaError) as caught:
        check_definition(contract_of(), rows, table="features_payments")
    assert str(caught.value) == (
        "features_payments holds rows of definition 77ab02, trustlake.tests.fraud was trained on 9f31c0; "
        "build the features by that definition, or train again"
    )


@pytest.fixture
def quiet_mlflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow warns of its own code while it is imported, and keeps its store for the whole process."""
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    tracking, registry = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*loader strategy is deprecated", category=DeprecationWarning
        )
        warnings.filterwarnings("ignore", message=".*inferred as AnyType", category=UserWarning)
        importlib.import_module("mlflow.pyfunc.model")
        yield
    mlflow.set_tracking_uri(tracking)
    mlflow.set_registry_uri(registry)


def payment(number: int, day: int) -> dict[str, object]:
    moment = datetime(2026, 3, day, 10, tzinfo=UTC)
    return {
        "event_at": moment, "known_at": moment, "payment_id": f"p{number}", "card_id": "c", "amount": Decimal(number)
    }  # fmt: skip


def champion(project: Any) -> xgb.Booster:
    """A small model of the project's view, registered and promoted."""
    context = project.context(ScoreEvents, *MARCH)
    model = context.definitions.only_model()
    names, types = model.view.features, dict(project.lake.read(model.view.table).dtypes)
    values = np.random.default_rng(3).normal(size=(50, len(names)))
    train = xgb.DMatrix(values, (values[:, 0] > 0).astype(int), feature_names=list(names))
    booster = xgb.train({"objective": "binary:logistic", "nthread": 1}, train, 3)
    registry = registry_of(context, model)
    contract = contract_of(
        feature_names=names,
        feature_types=tuple(types[name] for name in names),
        definition_hash=definition_hash(model.view),
    )
    experiment = experiment_id(mlflow.MlflowClient(), context.config.mlflow)
    with mlflow.start_run(experiment_id=experiment) as run:
        log_artefact(booster, contract, pd.DataFrame(values[:2], columns=list(names)))
    registry.set_alias(CHAMPION, registry.register(run.info.run_id))
    return booster


@pytest.mark.usefixtures("quiet_mlflow")
def test_the_champion_scores_each_row_of_the_range_and_no_other_definition(project: Any) -> None:
    with pytest.raises(
        RefusedError, match=r"trustlake.tests.fraud has no champion; run train_model, then promote_model"
    ):
        project.work(ScoreEvents, *MARCH)
    project.add_events("payments", [payment(n, n) for n in range(1, 5)])
    project.work(BuildFeatures)
    booster = champion(project)

    outcome = project.work(ScoreEvents, *MARCH)
    assert (outcome.rows_in, outcome.rows_out, outcome.result) == (4, 4, "trustlake.tests.fraud v1")
    rows = {row["row_id"]: row for row in project.lake.read("scores_fraud").collect()}
    # p1 has a card without a history; p2 to p4 see the payment exactly a day before.
    features = [[1, 1, 0, 0, 0, np.nan], *([n, 1, 1, 1, n - 1, n - 1] for n in (2, 3, 4))]
    expected = booster.inplace_predict(np.array(features, dtype=np.float32))
    assert [rows[f"p{n}"]["score"] for n in (1, 2, 3, 4)] == pytest.approx(expected.tolist(), abs=0)
    assert {(row["model"], row["model_version"], row["run_key"]) for row in rows.values()} == {
        ("trustlake.tests.fraud", 1, "key-1")
    }
    assert {row["features_version"] for row in rows.values()} == {project.lake.version("features_payments")}

    project.work(ScoreEvents, "--from", "2026-03-02", "--to", "2026-03-03")
    assert {row["row_id"]: row["score"] for row in project.lake.read("scores_fraud").collect()} == {
        name: row["score"] for name, row in rows.items()
    }
    assert project.work(ScoreEvents, "--from", "2026-05-01", "--to", "2026-05-02").rows_out == 0

    before = project.lake.version("scores_fraud")
    project.definitions('largest("amount")', 'largest("amount", where="amount > 2")')
    project.work(BuildFeatures)
    with pytest.raises(
        SchemaError, match=r"features_payments holds rows of definition .*, trustlake.tests.fraud was"
    ):
        project.work(ScoreEvents, *MARCH)
    project.definitions(', largest("amount")', "")
    project.work(BuildFeatures)
    with pytest.raises(
        SchemaError, match="needs: card_amount_max_1d is absent, the model was trained on decimal"
    ):
        project.work(ScoreEvents, *MARCH)
    assert project.lake.version("scores_fraud") == before
