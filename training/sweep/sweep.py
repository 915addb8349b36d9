"""A sweep: every trial fitted and judged on the validation folds, written to MLflow as it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import mean

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from lake.errors import TrustlakeError
from training.artefact.predict import SCORE, predict
from training.sweep import optuna_search, waves
from training.sweep.child_runs import ChildRuns
from training.sweep.pruning import bars
from training.sweep.settings import SweepSettings
from training.sweep.suggestion import Suggestion
from training.sweep.trial import Trial, Winner
from training.trainers.fit import fit_kept, fit_ready, in_order
from training.trainers.fit_plan import Fit, FitPlan
from training.trainers.quality import ranked
from training.training_set import IS_FRAUD, IS_VALIDATION
from training.unwritable import writing_to_mlflow

# A validation fold without both classes cannot rank trials: they all lose alike.
_WORST = 0.0
_LONGEST = 300
_SEARCHES = {"hyperopt": waves.search, "optuna": optuna_search.search}


def sweep(
    folds: Sequence[DataFrame],
    plan: FitPlan,
    settings: SweepSettings,
    runs: ChildRuns,
    on_trial: Callable[[Trial, Winner | None], None],
) -> Winner:
    """Search the space; ties go to the earlier trial.

    Each fold is brought into order once and kept by Spark, and binned once in each process and way to bin.

    Args:
        folds: per validation fold its rows, as ``fit`` takes them.
        plan: what every trial has in common. With several workers trials run one after the other, each in all of them.
        runs: where trials are written, and where those of a killed sweep are found.
        on_trial: told of each trial as it ends, with the best so far.

    Raises:
        TrustlakeError: every trial failed, or MLflow cannot be written to.
    """
    finished = runs.finished()
    ended: list[Trial] = []
    best: list[Winner] = []
    kept = [in_order(rows, plan.workers).persist() for rows in folds]
    if plan.workers > 1:
        settings = settings.model_copy(update={"parallelism": 1})

    def evaluate(wave: Sequence[Suggestion]) -> list[float | None]:
        before = tuple(ended)
        with ThreadPoolExecutor(max_workers=len(wave)) as pool:
            trials = list(
                pool.map(
                    lambda s: finished.get(s.number) or _run(s, kept, plan, settings, before, runs.name),
                    wave,
                )
            )
        for trial in trials:
            if trial.number not in finished:
                _write(runs, trial, len(finished) + len(ended))
            ended.append(trial)
            if trial.score is not None and (not best or trial.score > best[0].score):
                best[:] = [Winner(trial.number, trial.params, trial.rounds, trial.score)]
            on_trial(trial, best[0] if best else None)
        return [None if trial.score is None else -trial.score for trial in trials]

    try:
        _SEARCHES[settings.sampler](settings, evaluate)
    finally:
        for rows in kept:
            rows.unpersist()
    if not best:
        raise TrustlakeError(f"all {len(ended)} trials failed; the first: {ended[0].reason}")
    return best[0]


def _write(runs: ChildRuns, trial: Trial, written: int) -> None:
    with writing_to_mlflow(
        f"trial {trial.number + 1}", f"it goes on after the {written} trials that are written"
    ):
        runs.write(trial)


def _run(
    suggestion: Suggestion,
    folds: Sequence[DataFrame],
    plan: FitPlan,
    settings: SweepSettings,
    before: Sequence[Trial],
    sweep_name: str,
) -> Trial:
    params = dict(settings.fixed) | dict(suggestion.params)
    fits: list[Fit] = []
    try:
        for fold, rows in enumerate(folds):
            now = replace(
                plan,
                params={"nthread": 1} | dict(plan.params) | params | {"seed": settings.seed},
                keep_booster=plan.workers > 1,
                is_trial=True,
                bars=bars(before, fold, settings.prune_after),
            )
            one = (
                fit_kept(rows, now, sweep=sweep_name, fold=fold)
                if plan.workers == 1
                else _fit_together(rows, now)
            )
            fits.append(one)
            if fits[-1].is_pruned:
                break
    except (PySparkException, Py4JError) as error:
        return Trial(number=suggestion.number, params=params, rounds=0, score=None, reason=_in_a_line(error))
    return Trial(
        number=suggestion.number,
        params=params,
        rounds=round(mean(one.rounds for one in fits)),
        score=mean(_score(one, settings.metric) for one in fits),
        curves=tuple(one.curve for one in fits),
        is_pruned=fits[-1].is_pruned,
        binned=fits[-1].binned,
        process=fits[-1].process,
    )


def _fit_together(rows: DataFrame, plan: FitPlan) -> Fit:
    """Fit in several tasks, none of which sees all validation rows: they are scored afterwards."""
    fitted = fit_ready(rows, plan)
    validation = rows.where(IS_VALIDATION)
    scored = predict(validation, fitted.booster, keep=[IS_FRAUD]).toArrow()
    found = ranked(scored[IS_FRAUD].to_numpy(), scored[SCORE].to_numpy())
    return replace(fitted, validation=found, booster=b"")


def _in_a_line(error: Exception) -> str:
    """The last line of a Python worker's error that says something: what XGBoost found wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if "Error" in line and not line.startswith(("File ", "at "))]
    return (said or lines or [type(error).__name__])[-1][:_LONGEST]


def _score(one: Fit, metric: str) -> float:
    measured = one.validation.as_dict()[metric] if one.validation else None
    return _WORST if measured is None else measured
