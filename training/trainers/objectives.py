"""Objectives of our own.

``expected_loss`` is what a decision by score costs (Bahnsen, Aouada, Ottersten: Example-dependent cost-sensitive
decision trees, ESWA 42, 2015): a fraud costs its weight with the chance of being let through, any other row its weight
with the chance of being stopped. The weights are the money; ``weights.money`` and ``weights.false_alarm`` give them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

Gradients = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
Objective = Callable[[npt.NDArray[np.float32], xgb.DMatrix], Gradients]
EXPECTED_LOSS = "expected_loss"
# The loss is flat where the score is sure; without a floor a sure mistake would never be mended.
_FLOOR = 1e-3


def expected_loss(margins: npt.NDArray[np.float32], rows: xgb.DMatrix) -> Gradients:
    """Gradient by the margin, and a bound of the curvature: the loss is not convex."""
    chance = 1 / (1 + np.exp(-margins))
    slope = np.maximum(chance * (1 - chance), _FLOOR) * weights_of(rows)
    return (slope * (1 - 2 * rows.get_label())).astype(np.float32), slope.astype(np.float32)


def weights_of(rows: xgb.DMatrix) -> npt.NDArray[np.float32]:
    """The weight of each row; rows that were given none count once."""
    found = rows.get_weight()
    return found if len(found) else np.ones(rows.num_row(), dtype=np.float32)


def split_objective(params: dict[str, Any]) -> tuple[dict[str, Any], Objective | None]:
    """XGBoost's own parameters, and the objective that takes the place of its own."""
    if str(params.get("objective", "")).startswith("rank:"):
        # Money is no grade, of which XGBoost takes powers.
        return {"ndcg_exp_gain": False} | params, None
    if params.get("objective") != EXPECTED_LOSS:
        return params, None
    return params | {"objective": "binary:logistic"}, expected_loss
