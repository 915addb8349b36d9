"""How well one feature alone tells frauds from other rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def auc(values: NDArray[np.float64], is_fraud: NDArray[np.bool_]) -> float:
    """Area under the ROC curve of one feature, in whichever direction it is larger: 0.5 to 1.

    A tie is half right; NaN is a value of its own, below all others. NaN where all rows are of one class.
    """
    frauds = int(is_fraud.sum())
    others = len(is_fraud) - frauds
    if frauds == 0 or others == 0:
        return float("nan")
    ranked = np.where(np.isnan(values), -np.inf, values)
    _, places, counts = np.unique(ranked, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[places][is_fraud].sum() - frauds * (frauds + 1) / 2
    right = float(above / (frauds * others))
    return max(right, 1 - right)
