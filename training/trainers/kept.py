"""Binned rows that a worker process keeps from one trial of a sweep to the next.

Spark hands its Python processes from task to task, so what stands in this module outlives a trial. A process that has
the rows of a fold, binned as a trial asks, fits without being sent them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xgboost as xgb

from training.trainers.fit_plan import FitPlan, Learns
from training.trainers.rows import Rows

# A fold, and what decides on the bins.
Key = tuple[int, tuple[int, float | None, Learns]]
# Of each fold so many ways to bin are kept: a search over max_bin has two or three.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Binned:
    """A fold as XGBoost takes it; the validation rows' features are kept for scoring."""

    train: xgb.QuantileDMatrix
    validation: xgb.QuantileDMatrix | None
    held: Rows


@dataclass(slots=True)
class _Kept:
    """Of one sweep; another sweep's rows take its place."""

    sweep: str = ""
    made: int = 0
    binned: dict[Key, Binned] = field(default_factory=dict)


_KEPT = _Kept()


def find(sweep: str, key: Key) -> Binned | None:
    """What this process keeps of a sweep's fold."""
    # A task takes functions of modules along by name, and so reaches what its process has, not what the driver had.
    return _KEPT.binned.get(key) if sweep == _KEPT.sweep else None


def keep(sweep: str, key: Key, binned: Binned) -> None:
    """Keep a fold as it was just binned."""
    if sweep != _KEPT.sweep:
        _KEPT.sweep, _KEPT.made = sweep, 0
        _KEPT.binned.clear()
    while len(_KEPT.binned) >= _MOST:
        del _KEPT.binned[next(iter(_KEPT.binned))]
    _KEPT.binned[key] = binned
    _KEPT.made += 1


def times_binned() -> int:
    """How often this process has binned rows of the sweep that it keeps."""
    return _KEPT.made


def bin_rows(train: Rows, validation: Rows, plan: FitPlan) -> Binned:
    """Bin both by the training rows' quantiles."""
    binned = _matrix(train, plan)
    # Tasks that fit together must all watch, or none.
    is_watched = len(validation) > 0 or (plan.workers > 1 and plan.is_trial)
    held = _matrix(validation, plan, like=binned) if is_watched else None
    return Binned(binned, held, validation)


def _matrix(rows: Rows, plan: FitPlan, like: xgb.QuantileDMatrix | None = None) -> xgb.QuantileDMatrix:
    types = ["c" if name in plan.categorical else "q" for name in plan.features]
    is_ranked = plan.learns == "order"
    if is_ranked:
        rows = rows.where(np.argsort(rows.day, kind="stable"))
    return xgb.QuantileDMatrix(
        rows.features,
        label=rows.is_fraud.astype(np.float32) if plan.learns == "chance" else rows.loss,
        # XGBoost weighs a group as a whole.
        weight=None if is_ranked else rows.weight,
        qid=rows.day - rows.day.min(initial=0) if is_ranked else None,
        feature_names=list(plan.features),
        feature_types=types,
        enable_categorical=bool(plan.categorical),
        ref=like,
        max_bin=plan.max_bin,
    )
