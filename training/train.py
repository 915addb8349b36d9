"""One training: tune on the validation folds, fit and judge on each test fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from features.definition_hash import definition_hash
from training.artefact.contract import ModelContract
from training.judged import Judged, check_classes, fit_and_judge, sweep_rows
from training.model import Model
from training.settings import TrainingSettings
from training.splits import Split
from training.sweep.child_runs import ChildRuns
from training.sweep.sweep import sweep
from training.sweep.trial import Trial, Winner
from training.trainers.fit_plan import FitPlan
from training.trainers.plan import choose_workers
from training.training_set import TrainingSet

# What a trial may bin by at most.
_MOST_BINS = 4096


def train(
    stored: TrainingSet,
    model: Model,
    folds: Split,
    settings: TrainingSettings,
    *,
    runs: ChildRuns,
    on_trial: Callable[[Trial, Winner | None], None],
    on_fold: Callable[[Judged], None],
) -> tuple[Winner, list[Judged]]:
    """Choose parameters on folds that no test has rows of, then fit and judge each test fold; stage by stage.

    Args:
        model: whose features stand in the stored arrays, in its order.
        on_trial: told of each trial as it ends, with the best so far.
        on_fold: told of each test fold as it is judged.

    Returns:
        The winning trial of the last stage, and the judged folds, the latest last; its booster is the candidate.

    Raises:
        TrustlakeError: a training period holds one class only.
    """
    plan = FitPlan(
        features=model.view.features,
        # Trials share the threads that the winner has alone.
        params={"nthread": max(1, settings.trainer.threads // settings.sweep.parallelism)},
        rounds=settings.sweep.rounds,
        stop_after=settings.sweep.stop_after,
        keeps_odds=settings.weights.keeps_odds,
        monotone=model.monotone,
        categorical=frozenset(model.view.categorical),
    )
    judged: list[Judged] = []
    for number, stage in enumerate(folds.stages):
        counts = [check_classes(stored.train_rows(fold), fold)[1] for fold in stage.validation]
        workers, _ = choose_workers(max(counts), len(plan.features), _MOST_BINS, settings.trainer)
        validation = [sweep_rows(stored, fold) for fold in stage.validation]
        winner = sweep(
            validation, replace(plan, workers=workers), settings.sweep, runs.of_stage(number), on_trial
        )
        final = replace(
            plan,
            params=dict(winner.params) | {"seed": settings.sweep.seed},
            rounds=winner.rounds,
            stop_after=None,
        )
        for fold in stage.test:
            judged.append(
                fit_and_judge(stored, fold, final, trainer=settings.trainer, metrics=settings.metrics)
            )
            on_fold(judged[-1])
    return winner, judged


def contract_of(
    model: Model, name: str, types: dict[str, str], code_version: str, final: Judged
) -> ModelContract:
    """What the registered model promises: the features it reads, and where it came from.

    Args:
        name: registered name, of three levels.
        types: Spark type of each column of the feature table.
    """
    view = model.view
    return ModelContract(
        model=name,
        feature_names=view.features,
        feature_types=tuple(types[feature] for feature in view.features),
        categorical=view.categorical,
        definition_hash=definition_hash(view),
        view=view.name,
        row_id=view.spine.row,
        target=model.target,
        trained_from=final.fold.train_from,
        trained_to=final.fold.train_to,
        best_iteration=final.fit.rounds - 1,
        code_version=code_version,
    )
