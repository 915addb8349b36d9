"""Hyperopt's SparkTrials as a way to search: known points, resumed sweeps, failures, and its hangs kept away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from pydantic import ValidationError
from pyspark.sql import DataFrame

from lake.errors import ConfigError, TrustlakeError
from tests.training.sweep_test import FIXED, KNOWN, PLAN, SPACE, settings_of
from training.sweep import spark_trials
from training.sweep.child_runs import ChildRuns
from training.sweep.sweep import sweep
from training.sweep.trial import Trial, Winner
from training.trainers.fit import fit


def swept(fold: DataFrame, runs: ChildRuns, **changes: Any) -> tuple[Winner, list[Trial]]:
    told: list[Trial] = []
    settings = settings_of(sampler="spark_trials", **changes)
    return sweep([fold], PLAN, settings, runs, lambda trial, _: told.append(trial)), told


def test_trials_are_those_of_a_fit_and_known_points_come_first(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    written = runs()
    second = KNOWN | {"max_bin": 16}
    best, told = swept(fold, written, trials=5, start=[KNOWN, second])
    assert sorted(trial.number for trial in told) == [0, 1, 2, 3, 4]
    by_number = {trial.number: trial for trial in told}
    assert dict(by_number[0].params) == FIXED | KNOWN
    assert dict(by_number[1].params) == FIXED | second
    for trial in told:
        alone = fit(fold, replace(PLAN, params=dict(trial.params) | {"nthread": 1, "seed": 7}))
        assert alone.validation is not None
        assert (trial.score, trial.rounds) == (alone.validation.average_precision, alone.rounds)
        assert trial.binned <= 2
    assert written.finished() == by_number
    assert best.score == max(trial.score or 0 for trial in told)


def test_a_killed_sweep_goes_on_with_the_trials_that_are_missing(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    written = runs()
    _, before = swept(fold, written, trials=3, start=[KNOWN])
    # As if the second had not been written to its end.
    left = runs()
    for trial in before:
        if trial.number != 1:
            left.write(trial)
    best, told = swept(fold, left, trials=4, start=[KNOWN])
    assert sorted(left.finished()) == [0, 1, 2, 3]
    assert sorted(trial.number for trial in told) == [0, 1, 2, 3]
    kept = {trial.number: trial for trial in before}
    assert all(left.finished()[number] == kept[number] for number in (0, 2))
    again, _ = swept(fold, left, trials=4, start=[KNOWN])
    assert again == best


def test_it_ends_when_nothing_better_comes_and_does_not_hang(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    _, told = swept(fold, runs(), trials=40, enough=2)
    assert 3 <= len(told) < 40


def test_a_failed_trial_says_why_and_the_others_go_on(fold: DataFrame, runs: Callable[[], ChildRuns]) -> None:
    bad = KNOWN | {"grow_policy": "sideways"}
    space = SPACE | {"grow_policy": {"choice": ["depthwise", "sideways"]}}
    written = runs()
    _, told = swept(fold, written, trials=3, space=space, start=[bad, bad | {"grow_policy": "depthwise"}])
    failed = {trial.number: trial for trial in told if trial.score is None}
    assert 0 in failed
    assert 1 not in failed
    assert "Invalid Input: 'sideways'" in failed[0].reason
    assert len(told) == 3
    hopeless = SPACE | {"grow_policy": {"choice": ["sideways"]}}
    with pytest.raises(TrustlakeError, match=r"all 2 trials failed; the first: .*sideways"):
        swept(fold, runs(), trials=2, space=hopeless)


def test_where_mlflow_is_down_it_says_so_and_does_not_hang(
    fold: DataFrame, runs: Callable[[], ChildRuns], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_: ChildRuns, __: Trial) -> None:
        raise MlflowException("API request failed: connection refused")

    monkeypatch.setattr(ChildRuns, "write", refuses)
    with pytest.raises(TrustlakeError, match="connection refused"):
        swept(fold, runs(), trials=30)


def test_what_it_cannot_do_is_told_first(
    fold: DataFrame, runs: Callable[[], ChildRuns], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValidationError, match="spark_trials has no waves; set prune_after to null"):
        settings_of(sampler="spark_trials", prune_after=3)
    monkeypatch.setattr(spark_trials, "is_remote", lambda: True)
    settings = settings_of(sampler="spark_trials")
    with pytest.raises(ConfigError) as told:
        sweep([fold], replace(PLAN, workers=2), settings, runs(), lambda *_: None)
    assert "Spark Connect; use hyperopt" in str(told.value)
    assert "the rows are to be fitted by 2; use hyperopt" in str(told.value)
