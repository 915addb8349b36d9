"""The scorer inside the registered model: one row of features in, one score out. It stands alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import xgboost as xgb
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class BoosterScorer(PythonModel):
    """Scores with the booster and the contract that lie beside this file."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read both files; plain JSON and the booster's own binary format."""
        self.contract = json.loads(Path(context.artifacts["contract"]).read_text(encoding="utf-8"))
        self.booster = xgb.Booster()
        self.booster.load_model(context.artifacts["booster"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's interface
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 - MLflow's interface
    ) -> pd.DataFrame:
        """Return one column ``score`` (double), rows and index as given; columns may come in any order."""
        names = list(self.contract["feature_names"])
        absent = [name for name in names if name not in model_input.columns]
        if absent:
            given = ", ".join(map(str, model_input.columns))
            raise ValueError(
                f"model {self.contract['model']} needs {', '.join(absent)}; the input has {given}"
            )
        features = model_input[names].to_numpy(dtype=np.float64)
        # Without rows some versions of XGBoost give back an array of two axes.
        score = self.booster.inplace_predict(features).reshape(len(model_input))
        return pd.DataFrame({"score": score.astype(np.float64)}, index=model_input.index)


mlflow.models.set_model(BoosterScorer())
