"""Boosting on binned rows, as a task of any trainer does it: early stopping, giving up, and the booster put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from xgboost import collective

from training.trainers.fit_plan import TRAIN_DAYS, FitPlan
from training.trainers.kept import Binned
from training.trainers.objectives import split_objective
from training.trainers.odds import put_right

CHECK_EVERY = 10
_VALIDATION = "validation"
_LOWER_IS_BETTER = ("logloss", "error", "rmse", "mae")


@dataclass(frozen=True, slots=True)
class Grown:
    """A booster cut to its best round, its curve, and whether it was given up."""

    booster: xgb.Booster
    curve: tuple[float, ...] = ()
    is_pruned: bool = False


def grow(binned: Binned, plan: FitPlan) -> Grown:
    """Boost."""
    params, objective = split_objective(
        {name: value for name, value in plan.params.items() if name != TRAIN_DAYS}
    )
    if plan.monotone:
        params["monotone_constraints"] = {
            name: sign for name, sign in plan.monotone.items() if name in plan.features
        }
    watched: list[tuple[xgb.DMatrix, str]] = []
    callbacks: list[xgb.callback.TrainingCallback] = []
    watch = _Watch(plan.bars)
    if binned.validation is not None:
        watched, callbacks = [(binned.validation, _VALIDATION)], [watch]
    if watched and plan.stop_after is not None:
        callbacks.insert(0, xgb.callback.EarlyStopping(rounds=plan.stop_after, data_name=_VALIDATION))
    booster = xgb.train(
        params,
        binned.train,
        num_boost_round=plan.rounds,
        obj=objective,
        evals=watched,
        callbacks=callbacks,
        xgb_model=None if plan.start is None else xgb.Booster(model_file=bytearray(plan.start)),
        verbose_eval=False,
    )
    if watched and plan.stop_after is not None:
        booster = booster[: booster.best_iteration + 1]
    if plan.keep_booster and plan.is_last and _weighs_frauds(plan):
        booster = put_right(booster, binned.train, _summed if plan.workers > 1 else _alone)
    return Grown(booster, tuple(watch.curve), watch.is_pruned)


def _weighs_frauds(plan: FitPlan) -> bool:
    is_chance = plan.params.get("objective", "binary:logistic") in {"binary:logistic", "expected_loss"}
    return is_chance and not (plan.keeps_odds and float(plan.params.get("scale_pos_weight", 1)) == 1)


class _Watch(xgb.callback.TrainingCallback):
    """Notes the best validation metric every few rounds, and stops the fit where it is below the bar."""

    def __init__(self, bars: Sequence[float]) -> None:
        super().__init__()
        self.bars = bars
        self.curve: list[float] = []
        self.is_pruned = False

    def after_iteration(
        self,
        model: xgb.Booster,  # noqa: ARG002 - XGBoost's interface
        epoch: int,
        evals_log: xgb.callback.TrainingCallback.EvalsLog,
    ) -> bool:
        if (epoch + 1) % CHECK_EVERY:
            return False
        metric, history = list(evals_log[_VALIDATION].items())[-1]
        values = np.array(history, dtype=np.float64)
        lower = metric.endswith(_LOWER_IS_BETTER)
        self.curve.append(float(-values.min() if lower else values.max()))
        at = len(self.curve) - 1
        self.is_pruned = at < len(self.bars) and self.curve[at] < self.bars[at]
        return self.is_pruned


def _alone(own: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return own


def _summed(own: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return collective.allreduce(own, collective.Op.SUM)
