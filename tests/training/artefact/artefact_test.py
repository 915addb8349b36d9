"""The registered artefact scores as the booster does, refuses what it cannot score, and holds nothing pickled."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from pydantic import ValidationError

from lake.errors import ConfigError, SchemaError
from training.artefact.contract import ModelContract
from training.artefact.load import load_booster
from training.artefact.log import cut_to_best, log_artefact, requirements

NAMES = ("hours_since_signup", "amount_usd", "country_code")
PARAMS: dict[str, Any] = {"objective": "binary:logistic", "eta": 0.9, "nthread": 1, "seed": 1}


def rows(count: int = 600) -> tuple[pd.DataFrame, Any]:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(count, 3)), columns=list(NAMES))
    frame["country_code"] = rng.integers(0, 4, count).astype(float)
    truth = (frame["amount_usd"] + (frame["country_code"] == 2) + rng.normal(size=count) > 1.5).astype(int)
    frame.loc[::7, "amount_usd"] = np.nan
    return frame, truth


def matrix(frame: pd.DataFrame, truth: Any = None) -> xgb.DMatrix:
    return xgb.DMatrix(
        frame.to_numpy(),
        truth,
        feature_names=list(NAMES),
        feature_types=["q", "q", "c"],
        enable_categorical=True,
    )


@pytest.fixture(scope="module")
def booster() -> xgb.Booster:
    """Stopped early, so it holds trees after its best iteration."""
    frame, truth = rows()
    train, held = matrix(frame[:400], truth[:400]), matrix(frame[400:], truth[400:])
    watched = [(held, "held")]
    return xgb.train(PARAMS, train, 60, evals=watched, early_stopping_rounds=5, verbose_eval=False)


def contract_of(booster: xgb.Booster, **changed: Any) -> ModelContract:
    written: dict[str, Any] = {
        "model": "trustlake.fraud.payment",
        "feature_names": NAMES,
        "feature_types": ("double", "decimal(18,4)", "int"),
        "categorical": ("country_code",),
        "definition_hash": "9f31c0",
        "view": "payment_view",
        "row_id": "payment_id",
        "target": "fraud_dispute",
        "trained_from": datetime(2026, 1, 1, tzinfo=UTC),
        "trained_to": datetime(2026, 6, 1, tzinfo=UTC),
        "best_iteration": booster.best_iteration,
        "code_version": "0.1.0",
    }
    return ModelContract(**{**written, **changed})


@pytest.fixture
def logged(store: Any, booster: xgb.Booster) -> ModelInfo:
    with mlflow.start_run(experiment_id=store.experiment_id):
        return log_artefact(booster, contract_of(booster), rows()[0].head(5))


def test_the_pyfunc_scores_as_the_booster_up_to_its_best_iteration(
    logged: ModelInfo, booster: xgb.Booster
) -> None:
    frame, _ = rows()
    scored = mlflow.pyfunc.load_model(logged.model_uri).predict(frame)
    best = booster.predict(matrix(frame), iteration_range=(0, booster.best_iteration + 1))
    assert scored.columns.tolist() == ["score"]
    assert scored["score"].dtype == np.float64
    assert scored["score"].to_numpy().astype(np.float32).tolist() == best.tolist()
    assert np.abs(booster.predict(matrix(frame), iteration_range=(0, 0)) - best).max() > 0.001


def test_permuted_and_extra_columns_change_nothing(logged: ModelInfo) -> None:
    frame, _ = rows(50)
    model = mlflow.pyfunc.load_model(logged.model_uri)
    permuted = frame[list(reversed(NAMES))].assign(payment_id="p")
    pd.testing.assert_frame_equal(model.predict(permuted), model.predict(frame))
    bare = model.unwrap_python_model()
    pd.testing.assert_frame_equal(bare.predict(None, permuted), bare.predict(None, frame))


def test_a_missing_column_is_named_by_the_signature_and_by_the_scorer(logged: ModelInfo) -> None:
    frame = rows(5)[0].drop(columns="amount_usd")
    model = mlflow.pyfunc.load_model(logged.model_uri)
    with pytest.raises(MlflowException, match=r"Model is missing inputs \['amount_usd'\]"):
        model.predict(frame)
    wanted = "trustlake.fraud.payment needs amount_usd; the input has hours_since_signup, country_code"
    with pytest.raises(ValueError, match=wanted):
        model.unwrap_python_model().predict(None, frame)


def test_no_rows_give_no_scores(logged: ModelInfo) -> None:
    assert mlflow.pyfunc.load_model(logged.model_uri).predict(rows()[0].head(0)).shape == (0, 1)


def test_every_feature_is_a_required_double_although_the_example_has_gaps(logged: ModelInfo) -> None:
    signature = mlflow.models.get_model_info(logged.model_uri).signature
    assert signature is not None
    wanted = [{"type": "double", "name": name, "required": True} for name in NAMES]
    assert signature.inputs.to_dict() == wanted
    assert signature.outputs.to_dict() == [{"type": "double", "name": "score", "required": True}]


def test_the_logged_folder_holds_plain_files_and_one_xgboost(logged: ModelInfo, tmp_path: Path) -> None:
    root = Path(mlflow.artifacts.download_artifacts(artifact_uri=logged.model_uri, dst_path=str(tmp_path)))
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert {"artifacts/booster.ubj", "artifacts/contract.json", "scorer_model.py"} <= set(files)
    assert {Path(name).suffix for name in files} <= {".ubj", ".json", ".py", ".txt", ".yaml", ""}
    pins = (root / "requirements.txt").read_text(encoding="utf-8").split()
    assert len([pin for pin in pins if pin.startswith("xgboost")]) == 1
    assert all("==" in pin for pin in pins)
    assert sorted(pins) == sorted(requirements())


def test_executors_get_booster_bytes_and_the_contract(logged: ModelInfo, booster: xgb.Booster) -> None:
    raw, contract = load_booster(logged.model_uri)
    assert contract == contract_of(booster)
    restored = xgb.Booster()
    restored.load_model(bytearray(raw))
    assert restored.num_boosted_rounds() == booster.best_iteration + 1
    assert restored.feature_names == list(NAMES)
    frame, _ = rows()
    best = booster.predict(matrix(frame), iteration_range=(0, booster.best_iteration + 1))
    assert restored.inplace_predict(frame.to_numpy()).tolist() == best.tolist()


def test_a_run_named_by_id_gets_the_model_and_stays_open(store: Any, booster: xgb.Booster) -> None:
    client = mlflow.MlflowClient()
    run = client.create_run(store.experiment_id)
    info = log_artefact(booster, contract_of(booster), rows()[0].head(2), run_id=run.info.run_id)
    assert info.run_id == run.info.run_id
    assert client.get_run(run.info.run_id).info.status == "RUNNING"
    assert mlflow.active_run() is None


def test_a_booster_without_early_stopping_is_kept_whole() -> None:
    frame, truth = rows()
    whole = xgb.train(PARAMS, matrix(frame, truth), 4)
    assert cut_to_best(whole).num_boosted_rounds() == 4


def test_a_booster_of_other_features_or_rounds_is_refused(booster: xgb.Booster) -> None:
    example, _ = rows(2)
    swapped = contract_of(booster, feature_names=NAMES[::-1])
    with pytest.raises(SchemaError, match="the booster's features are hours_since_signup, amount_usd"):
        log_artefact(booster, swapped, example)
    late = contract_of(booster, best_iteration=booster.best_iteration + 3)
    with pytest.raises(SchemaError, match=f"best iteration is {booster.best_iteration}; the contract says"):
        log_artefact(booster, late, example)
    with pytest.raises(SchemaError, match="input_example lacks amount_usd; it has hours_since_signup"):
        log_artefact(booster, contract_of(booster), example.drop(columns="amount_usd"))


def test_a_model_of_another_maker_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"holds no booster\.ubj and contract\.json"):
        load_booster(tmp_path.as_uri())


def test_two_distributions_of_xgboost_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.artefact.log.version", lambda _: "3.2.0")
    both = r"installed as xgboost==3\.2\.0 and xgboost-cpu==3\.2\.0; install exactly one"
    with pytest.raises(ConfigError, match=both):
        requirements()


def test_a_contract_is_the_same_text_after_a_round_trip(booster: xgb.Booster) -> None:
    contract = contract_of(booster, threshold=0.25)
    assert ModelContract.from_json(contract.to_json()) == contract
    assert ModelContract.from_json(contract.to_json()).to_json() == contract.to_json()
    assert json.loads(contract.to_json())["trained_from"] == "2026-01-01T00:00:00Z"


def test_a_contract_of_a_later_version_names_what_it_does_not_know(booster: xgb.Booster) -> None:
    text = json.dumps({**json.loads(contract_of(booster).to_json()), "calibrator": "isotonic"})
    with pytest.raises(SchemaError, match="calibrator: Extra inputs are not permitted"):
        ModelContract.from_json(text)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"feature_types": ("double",)}, "3 feature_names, but 1 feature_types"),
        ({"feature_names": ("a", "a", "b"), "categorical": ()}, "feature_names repeats a name"),
        ({"categorical": ("device",)}, "categorical names device, which is not in feature_names"),
        ({"trained_to": datetime(2025, 1, 1, tzinfo=UTC)}, "is not after trained_from"),
        ({"trained_to": datetime(2026, 7, 1)}, "timezone"),  # noqa: DTZ001 - the mistake under test
    ],
)
def test_an_impossible_contract_cannot_be_built(
    booster: xgb.Booster, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        contract_of(booster, **changed)
