"""A sweep: every trial fitted and judged on the validation folds, written to MLflow as it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import mean
from typing import Any

from pyspark.sql import DataFrame

from training.sweep.child_runs import ChildRuns, Trial
from training.sweep.settings import SweepSettings
from training.sweep.waves import Suggestion, search
from training.trainers.fit import Fit, FitPlan, fit

# A validation fold without both classes cannot rank trials: they all lose alike.
_WORST = 0.0


@dataclass(frozen=True, slots=True)
class Winner:
    """The best trial: its parameters, the boosting rounds to fit with, and its score on the validation folds."""

    number: int
    params: Mapping[str, Any]
    rounds: int
    score: float


def sweep(
    folds: Sequence[DataFrame],
    features: tuple[str, ...],
    settings: SweepSettings,
    runs: ChildRuns,
    on_trial: Callable[[Trial, Winner], None],
) -> Winner:
    """Search the space; ties go to the earlier trial.

    Args:
        folds: per validation fold its rows: ``row``, ``is_fraud``, ``is_validation``, ``features``.
        runs: where trials are written, and where those of a killed sweep are found.
        on_trial: told of each trial as it ends, with the best so far.
    """
    finished = runs.finished()
    best: list[Winner] = []

    def evaluate(wave: Sequence[Suggestion]) -> list[float]:
        with ThreadPoolExecutor(max_workers=len(wave)) as pool:
            trials = list(
                pool.map(lambda s: finished.get(s.number) or _run(s, folds, features, settings), wave)
            )
        for trial in trials:
            if trial.number not in finished:
                runs.write(trial)
            if not best or trial.score > best[0].score:
                best[:] = [Winner(trial.number, trial.params, trial.rounds, trial.score)]
            on_trial(trial, best[0])
        return [-trial.score for trial in trials]

    search(settings, evaluate)
    return best[0]


def _run(
    suggestion: Suggestion, folds: Sequence[DataFrame], features: tuple[str, ...], settings: SweepSettings
) -> Trial:
    params = dict(settings.fixed) | dict(suggestion.params)
    plan = FitPlan(
        features=features,
        params=params | {"nthread": 1, "seed": settings.seed},
        rounds=settings.rounds,
        stop_after=settings.stop_after,
        keep_booster=False,
    )
    fits = [fit(rows, plan) for rows in folds]
    return Trial(
        number=suggestion.number,
        params=params,
        rounds=round(mean(one.rounds for one in fits)),
        score=mean(_score(one, settings.metric) for one in fits),
    )


def _score(one: Fit, metric: str) -> float:
    measured = one.validation.as_dict()[metric] if one.validation else None
    return _WORST if measured is None else measured
