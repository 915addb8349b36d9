"""What a training says of each trial as it ends: its score, the best so far, and how long the others will take."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from training.sweep.settings import SweepSettings
from training.sweep.trial import Trial, Winner


class SweepProgress:
    """A line for each trial of a training's sweeps, one sweep for each stage of its split.

    Trials that a killed run had ended took no time now, so they tell nothing of the time that is left.
    """

    def __init__(
        self,
        log: logging.Logger,
        settings: SweepSettings,
        stages: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._settings, self._clock = log, settings, clock
        self._trials = stages * settings.trials
        self._started = clock()
        self._ended = self._kept = 0

    def __call__(self, trial: Trial, best: Winner | None) -> None:
        """Say how a trial ended."""
        self._ended += 1
        self._kept += trial.is_kept
        of_all = f"trial {trial.number + 1}/{self._settings.trials}"
        so_far = f"best {best.score:.4f}, trial {best.number + 1}" if best else "none yet"
        if trial.score is None:
            self._log.warning("%s failed: %s (%s)", of_all, trial.reason, so_far)
            return
        given_up = ", given up" if trial.is_pruned else ""
        self._log.info(
            "%s: %s %.4f after %d rounds%s (%s), %s",
            *(of_all, self._settings.metric, trial.score, trial.rounds, given_up, so_far),
            "kept from the run before" if trial.is_kept else f"about {self._seconds_left():.0f} s left",
        )

    def _seconds_left(self) -> float:
        taken = (self._clock() - self._started) / (self._ended - self._kept)
        return taken * (self._trials - self._ended)
