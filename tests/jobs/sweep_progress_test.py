"""What is said of trials: numbered from one, and with a time left that kept trials say nothing of."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from jobs.sweep_progress import SweepProgress
from training.sweep.settings import SweepSettings
from training.sweep.trial import Trial, Winner


def test_a_line_for_each_trial_with_the_time_that_those_of_this_run_foretell(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 100.0
    settings = SweepSettings(trials=4, space={}, fixed={}, metric="average_precision")
    with caplog.at_level(logging.INFO):
        progress = SweepProgress(logging.getLogger("progress"), settings, 2, lambda: now)
        best = Winner(0, {}, 5, 0.25)
        progress(trial(0, score=0.25, rounds=5, is_kept=True), best)
        now = 110.0
        progress(trial(1, score=0.125, rounds=3, is_pruned=True), best)
        now = 114.0
        progress(trial(2, score=None, rounds=0, reason="no such booster"), best)
        progress(trial(3, score=0.5, rounds=9), Winner(3, {}, 9, 0.5))
    assert caplog.messages == [
        "trial 1/4: average_precision 0.2500 after 5 rounds (best 0.2500, trial 1), kept from the run before",
        "trial 2/4: average_precision 0.1250 after 3 rounds, given up (best 0.2500, trial 1), about 60 s left",
        "trial 3/4 failed: no such booster (best 0.2500, trial 1)",
        "trial 4/4: average_precision 0.5000 after 9 rounds (best 0.5000, trial 4), about 19 s left",
    ]


def trial(number: int, **given: Any) -> Trial:
    return Trial(number=number, params={}, **given)
