"""A sweep: every trial fitted and judged on the validation folds, written to MLflow as it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pyspark.sql import DataFrame

from lake.errors import TrustlakeError
from training.artefact.predict import SCORE, predict
from training.sweep import optuna_search, spark_trials, waves
from training.sweep.child_runs import ChildRuns
from training.sweep.record import Record
from training.sweep.settings import SweepSettings
from training.sweep.suggestion import Suggestion
from training.sweep.trial import Trial, Winner
from training.sweep.trial_run import plans_of, run_trial
from training.trainers.fit import fit_kept, fit_ready, in_order
from training.trainers.fit_plan import Fit, FitPlan
from training.trainers.quality import ranked
from training.training_set import IS_FRAUD, IS_VALIDATION

_IN_WAVES = {"hyperopt": waves.search, "optuna": optuna_search.search}


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
        ConfigError: the sampler cannot do what is asked, or is not installed.
        TrustlakeError: every trial failed, or MLflow cannot be written to.
    """
    record = Record(runs, on_trial)
    kept = [in_order(rows, plan.workers).persist() for rows in folds]
    if plan.workers > 1:
        settings = settings.model_copy(update={"parallelism": 1})
    try:
        if settings.sampler == "spark_trials":
            spark_trials.search(kept, plan, settings, record)
        else:
            _IN_WAVES[settings.sampler](settings, lambda wave: _evaluate(wave, kept, plan, settings, record))
    finally:
        for rows in kept:
            rows.unpersist()
    if record.best is None:
        raise TrustlakeError(
            f"all {len(record.ended)} trials failed; the first: {record.ended[0].reason}"
            if record.ended
            else "no trial ended; Spark's log says why"
        )
    return record.best


def _evaluate(
    wave: Sequence[Suggestion],
    folds: Sequence[DataFrame],
    plan: FitPlan,
    settings: SweepSettings,
    record: Record,
) -> list[float | None]:
    """Run the trials of a wave at once, but for those that had ended before; their losses."""
    before = tuple(record.ended)
    with ThreadPoolExecutor(max_workers=len(wave)) as pool:
        trials = list(
            pool.map(
                lambda one: (
                    record.finished.get(one.number) or _run(one, folds, plan, settings, before, record.name)
                ),
                wave,
            )
        )
    for trial in trials:
        record.add(trial)
    return record.losses[-len(wave) :]


def _run(
    suggestion: Suggestion,
    folds: Sequence[DataFrame],
    plan: FitPlan,
    settings: SweepSettings,
    before: Sequence[Trial],
    sweep_name: str,
) -> Trial:
    def fit_fold(fold: int, now: FitPlan) -> Fit:
        if plan.workers > 1:
            return _fit_together(folds[fold], now)
        return fit_kept(folds[fold], now, sweep=sweep_name, fold=fold)

    plans = plans_of(plan, settings, len(folds), before)
    return run_trial(suggestion.number, suggestion.params, plans, fit_fold, settings)


def _fit_together(rows: DataFrame, plan: FitPlan) -> Fit:
    """Fit in several tasks, none of which sees all validation rows: they are scored afterwards."""
    fitted = fit_ready(rows, plan)
    validation = rows.where(IS_VALIDATION)
    scored = predict(validation, fitted.booster, keep=[IS_FRAUD]).toArrow()
    found = ranked(scored[IS_FRAUD].to_numpy(), scored[SCORE].to_numpy())
    return replace(fitted, validation=found, booster=b"")
