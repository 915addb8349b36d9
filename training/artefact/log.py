"""Log a booster as a models-from-code artefact: cut booster, contract, explicit signature, exact versions."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd
import xgboost as xgb
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema

from lake.errors import ConfigError, SchemaError
from training.artefact.contract import FILE, ModelContract

NAME = "model"
BOOSTER_FILE = "booster.ubj"
XGBOOST_DISTRIBUTIONS = ("xgboost", "xgboost-cpu")


def log_artefact(
    booster: xgb.Booster, contract: ModelContract, input_example: pd.DataFrame, *, run_id: str | None = None
) -> ModelInfo:
    """Log ``booster``, cut to its best iteration, with ``contract`` as the model of a run.

    Args:
        booster: with feature names; ``best_iteration`` is obeyed where early stopping left one.
        contract: names the booster's features in order, and the last round of the cut booster.
        input_example: a few rows that hold at least the features; logged as doubles in the booster's order.
        run_id: the run to log to; the active run where None.

    Raises:
        SchemaError: contract, booster and example do not name the same features or rounds.
    """
    final = cut_to_best(booster)
    _check(final, contract, input_example)
    with TemporaryDirectory() as folder, as_file(files("training.artefact") / "scorer_model.py") as scorer:
        booster_path, contract_path = Path(folder) / BOOSTER_FILE, Path(folder) / FILE
        final.save_model(booster_path)
        contract_path.write_text(contract.to_json(), encoding="utf-8")
        info: ModelInfo = Model.log(
            artifact_path=None,
            name=NAME,
            flavor=mlflow.pyfunc,
            run_id=run_id,
            python_model=str(scorer),
            artifacts={"booster": str(booster_path), "contract": str(contract_path)},
            signature=signature(contract.feature_names),
            input_example=input_example[list(contract.feature_names)].astype("float64"),
            pip_requirements=requirements(),
        )
        return info


def cut_to_best(booster: xgb.Booster) -> xgb.Booster:
    """Return the booster up to its best iteration; one without early stopping comes back whole.

    Native prediction uses every tree it finds, so trees grown after the best iteration would change the
    scores.
    """
    best = booster.attributes().get("best_iteration")
    return booster if best is None else booster[: int(best) + 1]


def signature(feature_names: tuple[str, ...]) -> ModelSignature:
    """Every feature a required double, the output a double called ``score``.

    A signature inferred from rows with gaps would make columns optional, and a missing column would pass.
    """
    inputs = Schema([ColSpec(DataType.double, name, required=True) for name in feature_names])
    return ModelSignature(inputs=inputs, outputs=Schema([ColSpec(DataType.double, "score", required=True)]))


def requirements() -> list[str]:
    """Return the exact versions in use, with the one installed distribution of xgboost.

    Raises:
        ConfigError: none or both of the two distributions of xgboost are installed.
    """
    found = [pin for name in XGBOOST_DISTRIBUTIONS if (pin := _pin(name)) is not None]
    if len(found) != 1:
        either = " and ".join(XGBOOST_DISTRIBUTIONS)
        raise ConfigError(
            [f"xgboost is installed as {' and '.join(found) or 'nothing'}; install exactly one of {either}"]
        )
    return [f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas")] + found


def _pin(distribution: str) -> str | None:
    try:
        return f"{distribution}=={version(distribution)}"
    except PackageNotFoundError:
        return None


def _check(booster: xgb.Booster, contract: ModelContract, input_example: pd.DataFrame) -> None:
    names = tuple(booster.feature_names or ())
    if names != contract.feature_names:
        raise SchemaError(
            f"the booster's features are {', '.join(names) or 'unnamed'}; the contract says "
            f"{', '.join(contract.feature_names)}. Train with the contract's names in the contract's order"
        )
    if not set(names) <= set(input_example.columns):
        raise SchemaError.missing("input_example", names, map(str, input_example.columns))
    last = booster.num_boosted_rounds() - 1
    if last != contract.best_iteration:
        raise SchemaError(
            f"the booster's best iteration is {last}; the contract says {contract.best_iteration}. "
            "Write the contract after the fit"
        )
