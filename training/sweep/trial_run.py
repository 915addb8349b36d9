"""One trial: fitted on each validation fold, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from xgboost.core import XGBoostError

from training.sweep.pruning import bars
from training.sweep.settings import SweepSettings
from training.sweep.trial import Trial
from training.trainers.fit_plan import Fit, FitPlan

# A validation fold without both classes cannot rank trials: they all lose alike.
_WORST = 0.0
_LONGEST = 300


def run_trial(
    number: int,
    drawn: Mapping[str, Any],
    plans: Sequence[FitPlan],
    fit_fold: Callable[[int, FitPlan], Fit],
    settings: SweepSettings,
) -> Trial:
    """Fit the trial on each fold, until it is given up on one.

    Args:
        drawn: the parameters that the search drew.
        plans: of each fold.
        fit_fold: fits on the fold with a number.

    Returns:
        The trial; without a score where a fit failed.
    """
    params = dict(settings.fixed) | dict(drawn)
    fits: list[Fit] = []
    try:
        for fold, plan in enumerate(plans):
            all_params = dict(plan.params) | params | {"seed": settings.seed}
            fits.append(fit_fold(fold, replace(plan, params=all_params)))
            if fits[-1].is_pruned:
                break
    except (PySparkException, Py4JError, XGBoostError) as error:
        return Trial(number=number, params=params, rounds=0, score=None, reason=in_a_line(str(error)))
    return Trial(
        number=number,
        params=params,
        rounds=round(mean(one.rounds for one in fits)),
        score=mean(_score(one, settings.metric) for one in fits),
        curves=tuple(one.curve for one in fits),
        is_pruned=fits[-1].is_pruned,
        binned=fits[-1].binned,
        process=fits[-1].process,
    )


def plans_of(
    plan: FitPlan, settings: SweepSettings, folds: int, before: Sequence[Trial] = ()
) -> list[FitPlan]:
    """What a trial has in common with all others, for each fold.

    Args:
        before: the trials that it is compared with while it runs.
    """
    return [
        replace(
            plan,
            params={"nthread": 1} | dict(plan.params),
            keep_booster=plan.workers > 1,
            is_trial=True,
            bars=bars(before, fold, settings.prune_after),
        )
        for fold in range(folds)
    ]


def in_a_line(error: str) -> str:
    """The last line of an error that says something, such as what XGBoost found wrong."""
    lines = [line.strip() for line in error.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("File ", "at ", "..."))]
    said = [line for line in telling if "Error" in line]
    return (said or telling or ["no reason given"])[-1][:_LONGEST]


def _score(one: Fit, metric: str) -> float:
    measured = one.validation.as_dict()[metric] if one.validation else None
    return _WORST if measured is None else measured
