"""How well a booster ranks held-out rows, measured where it was fitted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from sklearn.metrics import average_precision_score, roc_auc_score

from training.trainers.rows import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Ranking quality of scores; None where only one class is present."""

    average_precision: float | None
    roc_auc: float | None

    def as_dict(self) -> dict[str, float | None]:
        return asdict(self)


def quality(booster: xgb.Booster, rows: Rows) -> Quality:
    """Average precision and ROC-AUC of the booster on ``rows``."""
    return ranked(rows.is_fraud, booster.inplace_predict(rows.features))


def ranked(is_fraud: npt.NDArray[np.bool_], scores: npt.NDArray[np.floating[Any]]) -> Quality:
    """Average precision and ROC-AUC of scores."""
    if is_fraud.all() or not is_fraud.any():
        return Quality(average_precision=None, roc_auc=None)
    return Quality(
        average_precision=float(average_precision_score(is_fraud, scores)),
        roc_auc=float(roc_auc_score(is_fraud, scores)),
    )
