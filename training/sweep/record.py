"""The trials of a sweep as they end: written to MLflow, counted, and the best of them."""

from __future__ import annotations

from collections.abc import Callable

from training.sweep.child_runs import ChildRuns
from training.sweep.trial import Trial, Winner
from training.unwritable import writing_to_mlflow


class Record:
    """What has come of a sweep so far; ties go to the earlier trial.

    Attributes:
        finished: trials that a killed sweep had written to their end, by number.
        ended: the trials that ended in this one, those among them.
    """

    def __init__(self, runs: ChildRuns, on_trial: Callable[[Trial, Winner | None], None]) -> None:
        self._runs, self._on_trial = runs, on_trial
        self.finished = runs.finished()
        self.ended: list[Trial] = []
        self.best: Winner | None = None

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self._runs.name

    @property
    def losses(self) -> list[float | None]:
        """The loss of each trial that ended, lower is better; None is a failure."""
        return [None if trial.score is None else -trial.score for trial in self.ended]

    def add(self, trial: Trial) -> None:
        """Take down a trial that ended, and write it if it is not written yet.

        Raises:
            TrustlakeError: MLflow cannot be written to.
        """
        if trial.number not in self.finished:
            written = len({*self.finished, *(one.number for one in self.ended)})
            with writing_to_mlflow(
                f"trial {trial.number + 1}", f"it goes on after the {written} trials that are written"
            ):
                self._runs.write(trial)
        self.ended.append(trial)
        if trial.score is not None:
            now = Winner(trial.number, trial.params, trial.rounds, trial.score)
            self.best = max(self.best or now, now, key=lambda one: (one.score, -one.number))
        self._on_trial(trial, self.best)
