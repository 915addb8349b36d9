"""Hyperopt's TPE in waves: suggestions are drawn one by one, evaluated together, and told together.

The order of draws, and so every suggestion, depends on the seed and the losses alone. A sweep that was killed
draws the same trials again and takes the losses that were already measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hyperopt import JOB_STATE_DONE, STATUS_FAIL, STATUS_OK, Trials, tpe
from hyperopt.base import Domain
from hyperopt.fmin import generate_trials_to_calculate

from training.sweep.hyperopt_documents import params_of
from training.sweep.settings import SweepSettings
from training.sweep.suggestion import Suggestion, has_enough


def search(
    settings: SweepSettings, evaluate: Callable[[Sequence[Suggestion]], Sequence[float | None]]
) -> None:
    """Draw ``settings.trials`` trials and have them evaluated in waves of ``settings.parallelism``.

    It ends early after ``settings.enough`` trials without a better one.

    Args:
        evaluate: gives the loss of each suggestion of a wave, lower is better; None is a failure.
    """
    space = settings.expressions()
    domain = Domain(lambda _: 0.0, space)
    points = [settings.raw(point) for point in settings.start[: settings.trials]]
    trials = generate_trials_to_calculate(points) if points else Trials()
    draws = np.random.default_rng(settings.seed)
    losses: list[float | None] = []
    for first in range(0, settings.trials, settings.parallelism):
        wave = range(first, min(first + settings.parallelism, settings.trials))
        for number in wave:
            seed = int(draws.integers(2**31 - 1))
            if number >= len(points):
                trials.insert_trial_docs(tpe.suggest(trials.new_trial_ids(1), domain, trials, seed))
                trials.refresh()
        documents = [trials._dynamic_trials[number] for number in wave]  # noqa: SLF001 - includes the unfinished
        suggestions = [
            Suggestion(number, params_of(space, d)) for number, d in zip(wave, documents, strict=True)
        ]
        for document, loss in zip(documents, evaluate(suggestions), strict=True):
            document["state"] = JOB_STATE_DONE
            is_ok = loss is not None
            document["result"] = {"status": STATUS_OK, "loss": loss} if is_ok else {"status": STATUS_FAIL}
            losses.append(loss)
        trials.refresh()
        if has_enough(losses, settings.enough):
            return
