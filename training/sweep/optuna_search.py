"""Optuna's TPE behind the interface of ``waves.search``: the documented successor of Hyperopt, off by default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lake.errors import ConfigError
from training.sweep.settings import Range, SweepSettings
from training.sweep.suggestion import Suggestion, has_enough


def search(
    settings: SweepSettings, evaluate: Callable[[Sequence[Suggestion]], Sequence[float | None]]
) -> None:
    """Draw and evaluate trials as ``waves.search`` does; the same seed and losses give the same trials.

    Raises:
        ConfigError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            [
                "training.sweep.sampler is optuna, which is not installed; install the extra `optuna`, or use hyperopt"
            ]
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {name: _distribution(drawn, optuna.distributions) for name, drawn in settings.space.items()}
    # Trials of one wave do not know of each other: those that run count as bad, so that they are not drawn alike.
    sampler = optuna.samplers.TPESampler(seed=settings.seed, constant_liar=True)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    for point in settings.start[: settings.trials]:
        study.enqueue_trial(dict(point))
    losses: list[float | None] = []
    for first in range(0, settings.trials, settings.parallelism):
        numbers = range(first, min(first + settings.parallelism, settings.trials))
        asked = [study.ask(space) for _ in numbers]
        found = evaluate(
            [Suggestion(number, trial.params) for number, trial in zip(numbers, asked, strict=True)]
        )
        for trial, loss in zip(asked, found, strict=True):
            study.tell(trial, loss, state=optuna.trial.TrialState.FAIL if loss is None else None)
        losses += found
        if has_enough(losses, settings.enough):
            return


def _distribution(drawn: Range, kinds: Any) -> Any:
    if drawn.uniform:
        return kinds.FloatDistribution(*drawn.uniform)
    if drawn.loguniform:
        return kinds.FloatDistribution(*drawn.loguniform, log=True)
    if drawn.integer:
        return kinds.IntDistribution(*drawn.integer)
    return kinds.CategoricalDistribution(list(drawn.choice or ()))
