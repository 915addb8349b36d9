"""Probabilities put right after rows were weighted.

A fit with the logistic loss gives probabilities whose sum over the training rows is the number of frauds among them.
Where frauds count for more they sum to more. One number added to every margin restores it; for a constant weight that
is the prior correction of King and Zeng (Logistic Regression in Rare Events Data, 2001). The number goes into the
booster's own intercept, so whoever predicts with the booster gets it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import xgboost as xgb

Floats = npt.NDArray[np.float64]
_STEPS, _FAR, _ENOUGH = 60, 30.0, 1e-9


def put_right(booster: xgb.Booster, rows: xgb.DMatrix, summed: Callable[[Floats], Floats]) -> xgb.Booster:
    """The booster with the intercept at which its probabilities of ``rows`` sum to the number of frauds.

    Args:
        summed: adds up numbers over the tasks that fit together.
    """
    margins = booster.predict(rows, output_margin=True).astype(np.float64)
    frauds, total = summed(np.array([rows.get_label().sum(), rows.num_row()], dtype=np.float64))
    if frauds in {0, total}:
        return booster
    low, high = -_FAR, _FAR
    for _ in range(_STEPS):
        middle = (low + high) / 2
        expected = summed(np.array([(1 / (1 + np.exp(-(margins + middle)))).sum()]))[0]
        low, high = (middle, high) if expected < frauds else (low, middle)
        if high - low < _ENOUGH:
            break
    return _with_intercept(booster, (low + high) / 2)


def _with_intercept(booster: xgb.Booster, added: float) -> xgb.Booster:
    model = json.loads(booster.save_raw("json"))
    settings = model["learner"]["learner_model_param"]
    text = settings["base_score"]
    chance = float(text.strip("[]"))
    moved = 1 / (1 + np.exp(-(np.log(chance / (1 - chance)) + added)))
    settings["base_score"] = f"[{moved:.9E}]" if text.startswith("[") else f"{moved:.9E}"
    return xgb.Booster(model_file=bytearray(json.dumps(model).encode()))
