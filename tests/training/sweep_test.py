"""The search: known points first, the same draws for a seed, and a killed sweep finished as if it never had been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pydantic import ValidationError
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.errors import TrustlakeError
from training.settings import TrainingSettings
from training.sweep import optuna_search, waves
from training.sweep import sweep as sweep_module
from training.sweep.child_runs import ChildRuns
from training.sweep.settings import Range, SweepSettings
from training.sweep.suggestion import Suggestion
from training.sweep.sweep import sweep
from training.sweep.trial import Trial, Winner
from training.sweep.trial_run import in_a_line
from training.trainers.fit import fit
from training.trainers.fit_plan import FitPlan

SPACE = {
    "max_depth": {"integer": [1, 4]},
    "eta": {"loguniform": [0.05, 0.8]},
    "subsample": {"uniform": [0.6, 1.0]},
    "max_bin": {"choice": [16, 64]},
}
KNOWN = {"max_depth": 3, "eta": 0.3, "subsample": 0.9, "max_bin": 64}
PLAN = FitPlan(features=("a", "b"), params={}, rounds=8, stop_after=3)
FIXED = {"objective": "binary:logistic", "eval_metric": "aucpr"}


def settings_of(**changes: Any) -> SweepSettings:
    return SweepSettings.model_validate(
        {"trials": 6, "parallelism": 2, "rounds": 8, "stop_after": 3, "fixed": FIXED, "space": SPACE}
        | changes
    )


SEARCHES = {"hyperopt": waves.search, "optuna": optuna_search.search}


def drawn(settings: SweepSettings, loss: Callable[[Suggestion], float]) -> tuple[list[Suggestion], list[int]]:
    """Every suggestion in order, and the size of each wave."""
    seen: list[Suggestion] = []
    sizes: list[int] = []

    def evaluate(wave: Sequence[Suggestion]) -> list[float]:
        seen.extend(wave)
        sizes.append(len(wave))
        return [loss(suggestion) for suggestion in wave]

    SEARCHES[settings.sampler](settings, evaluate)
    return seen, sizes


def by_depth(suggestion: Suggestion) -> float:
    return float(suggestion.params["max_depth"] - suggestion.params["eta"])


@pytest.mark.parametrize("sampler", SEARCHES)
def test_known_points_come_first_and_waves_are_as_wide_as_told(sampler: str) -> None:
    second = KNOWN | {"max_bin": 16}
    seen, sizes = drawn(settings_of(trials=5, start=[KNOWN, second], sampler=sampler), by_depth)
    assert [dict(suggestion.params) for suggestion in seen[:2]] == [KNOWN, second]
    assert sizes == [2, 2, 1]
    assert [suggestion.number for suggestion in seen] == [0, 1, 2, 3, 4]
    assert all(SweepSettings.model_validate(settings_of().model_dump() | {"start": [s.params]}) for s in seen)
    assert [
        dict(s.params)
        for s in drawn(settings_of(trials=1, start=[KNOWN, second], sampler=sampler), by_depth)[0]
    ] == [KNOWN]


@pytest.mark.parametrize("sampler", SEARCHES)
def test_draws_depend_on_the_seed_and_the_losses_alone(sampler: str) -> None:
    settings = settings_of(trials=30, sampler=sampler)
    first, _ = drawn(settings, by_depth)
    assert drawn(settings, by_depth)[0] == first
    assert drawn(settings_of(trials=30, seed=8, sampler=sampler), by_depth)[0] != first
    other, _ = drawn(settings, lambda suggestion: -by_depth(suggestion))
    assert other[:4] == first[:4]
    assert other != first


def quiet(_: Trial, __: Winner | None) -> None:
    """Say nothing."""


def test_a_killed_sweep_is_finished_with_the_trials_of_an_undisturbed_one(
    fold: DataFrame, runs: Callable[[], ChildRuns], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(start=[KNOWN])
    undisturbed = runs()
    expected = sweep([fold], PLAN, settings, undisturbed, quiet)
    real = sweep_module._run  # noqa: SLF001 - the fault is put where a trial is fitted
    fitted: list[int] = []

    def dies_at(number: int) -> Callable[..., Trial]:
        def run(suggestion: Suggestion, *rest: Any) -> Trial:
            if suggestion.number == number:
                raise KeyboardInterrupt
            fitted.append(suggestion.number)
            return real(suggestion, *rest)

        return run

    killed = runs()
    monkeypatch.setattr(sweep_module, "_run", dies_at(3))
    with pytest.raises(KeyboardInterrupt):
        sweep([fold], PLAN, settings, killed, quiet)
    assert sorted(killed.finished()) == [0, 1]
    fitted.clear()
    monkeypatch.setattr(sweep_module, "_run", dies_at(99))
    told: list[tuple[int, int, bool]] = []
    found = sweep(
        [fold],
        PLAN,
        settings,
        killed,
        lambda trial, best: told.append((trial.number, best.number if best else -1, trial.is_kept)),
    )
    assert sorted(fitted) == [2, 3, 4, 5]
    assert found == expected
    assert killed.finished() == undisturbed.finished()
    trials = undisturbed.finished()
    assert dict(trials[0].params) == FIXED | KNOWN
    best = max(trials.values(), key=lambda trial: (trial.score, -trial.number))
    assert (found.number, found.params, found.rounds, found.score) == (
        best.number,
        best.params,
        best.rounds,
        best.score,
    )
    assert [(number, is_kept) for number, _, is_kept in told] == [(n, n < 2) for n in range(6)]
    assert told[-1][1] == found.number
    assert all(1 <= trial.rounds <= 8 for trial in trials.values())


def test_where_no_fold_can_rank_the_trials_the_first_one_wins(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    one_class = fold.where(~F.col("is_validation") | ~F.col("is_fraud"))
    found = sweep([one_class], PLAN, settings_of(trials=2, metric="roc_auc"), runs(), quiet)
    assert (found.number, found.score) == (0, 0.0)


def test_a_trial_left_open_is_closed_as_killed_and_written_again(store: Any) -> None:
    client = MlflowClient(store.uri)
    parent = client.create_run(store.experiment_id).info.run_id
    children = ChildRuns(client, store.experiment_id, parent)
    tags = {"mlflow.parentRunId": parent, "trial": "1"}
    left = client.create_run(store.experiment_id, tags=tags).info.run_id
    trial = Trial(number=1, params={"eta": 0.1, "name": "x"}, rounds=4, score=1 / 3)
    children.write(trial)
    assert children.finished() == {1: trial}
    assert client.get_run(left).info.status == "KILLED"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trials": 0}, "greater than or equal to 1"),
        ({"parallelism": 0}, "greater than or equal to 1"),
        ({"metric": "accuracy"}, "Input should be 'average_precision' or 'roc_auc'"),
        ({"fixed": {"eta": 0.1}}, "eta is both fixed and searched; keep one"),
        (
            {"start": [{"eta": 0.1}]},
            r"start\[0\] names \['eta'\]; the space has \['eta', 'max_bin', 'max_depth'",
        ),
        (
            {"start": [KNOWN, KNOWN | {"max_bin": 32}]},
            r"start\[1\]: max_bin is 32, the space has choice \[16, 64\]",
        ),
        (
            {"start": [KNOWN | {"eta": 0.9}]},
            r"start\[0\]: eta is 0.9, the space has loguniform \[0.05, 0.8\]",
        ),
        ({"start": [KNOWN | {"max_depth": 2.5}]}, "max_depth is 2.5, the space has integer"),
        ({"start": [KNOWN | {"max_depth": "deep"}]}, "max_depth is deep, the space has integer"),
    ],
)
def test_settings_that_cannot_be_are_told(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings_of(**changes)


@pytest.mark.parametrize("change", [{"fixed": {"objective": "reg:squarederror"}}, {}])
def test_money_is_learned_only_where_there_is_some(change: dict[str, Any]) -> None:
    space = SPACE if change else SPACE | {"objective": {"choice": ["binary:logistic", "rank:pairwise"]}}
    swept = settings_of(**({"fixed": {}} | change), space=space).model_dump()
    given = {"split": {"train_days": 7, "test_days": 7, "folds": 1, "validation_folds": 1}, "sweep": swept}
    with pytest.raises(
        ValidationError, match=r"learns from the money lost; name the amount's column in test.amount"
    ):
        TrainingSettings.model_validate(given)
    TrainingSettings.model_validate(given | {"test": {"amount": "amount"}})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "give exactly one of uniform, loguniform, integer or choice"),
        ({"uniform": [0, 1], "choice": [1]}, "an overlay adds to its base, so it sets the base's to null"),
        ({"uniform": [1, 1]}, "the lower bound 1.0 is not below the upper bound 1.0"),
        ({"loguniform": [0, 1]}, "loguniform needs bounds above 0"),
        ({"choice": []}, "choice is empty; give the values to choose from"),
        ({"normal": [0, 1]}, "Extra inputs are not permitted"),
    ],
)
def test_ranges_that_cannot_be_are_told(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Range.model_validate(given)


def test_an_overlay_replaces_a_way_to_draw_by_setting_the_other_to_null() -> None:
    assert str(Range.model_validate({"uniform": None, "choice": [1, "a"]})) == "choice [1, 'a']"


def counted(fold: DataFrame, runs: ChildRuns, settings: SweepSettings) -> list[Trial]:
    told: list[Trial] = []
    sweep([fold], PLAN, settings, runs, lambda trial, _: told.append(trial))
    return told


def test_rows_are_binned_once_in_each_process_and_way_to_bin(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    told = counted(fold, runs(), settings_of(trials=8, space=SPACE | {"max_bin": {"choice": [32]}}))
    made: dict[str, int] = {}
    for trial in told:
        made[trial.process] = max(made.get(trial.process, 0), trial.binned)
    assert all(count == 1 for count in made.values())
    assert len(told) == 8 > sum(made.values())
    other = counted(fold, runs(), settings_of(trials=8))
    ways = {int(trial.params["max_bin"]) for trial in other}
    assert max(trial.binned for trial in other) <= len(ways) == 2


def test_kept_rows_give_the_trials_of_rows_that_are_sent(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    for trial in counted(fold, runs(), settings_of(trials=4)):
        plan = replace(PLAN, params=dict(trial.params) | {"nthread": 1, "seed": 7})
        alone = fit(fold, plan)
        assert alone.validation is not None
        assert (trial.score, trial.rounds) == (alone.validation.average_precision, alone.rounds)


def test_a_trial_behind_the_middle_one_is_given_up_and_a_resumed_sweep_gives_up_the_same(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    settings = settings_of(trials=10, prune_after=2, stop_after=60)
    long = replace(PLAN, rounds=60, stop_after=60)
    one, told = runs(), list[Trial]()
    found = sweep([fold], long, settings, one, lambda trial, _: told.append(trial))
    pruned = [trial for trial in told if trial.is_pruned]
    assert 0 < len(pruned) < 8
    assert all(not trial.is_pruned for trial in told[:2])
    assert all(len(trial.curves[0]) < 6 for trial in pruned)
    assert found.number not in {trial.number for trial in pruned}
    again: list[Trial] = []
    assert sweep([fold], long, settings, one, lambda trial, _: again.append(trial)) == found
    assert [(t.number, t.score, t.is_pruned) for t in again] == [
        (t.number, t.score, t.is_pruned) for t in told
    ]


def test_a_failed_trial_says_why_in_a_line_and_the_others_go_on(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    space = SPACE | {"grow_policy": {"choice": ["depthwise", "sideways"]}}
    one = runs()
    told = counted(fold, one, settings_of(trials=6, space=space))
    failed = [trial for trial in told if trial.score is None]
    assert 0 < len(failed) < 6
    for trial in failed:
        assert trial.params["grow_policy"] == "sideways"
        assert "Invalid Input: 'sideways'" in trial.reason
        assert "\n" not in trial.reason
    assert one.finished() == {
        trial.number: trial for trial in counted(fold, one, settings_of(trials=6, space=space))
    }
    hopeless = settings_of(trials=2, space=SPACE | {"grow_policy": {"choice": ["sideways"]}})
    with pytest.raises(TrustlakeError, match=r"all 2 trials failed; the first: .*sideways"):
        counted(fold, runs(), hopeless)


def test_more_workers_than_slots_end_a_sweep_at_once(fold: DataFrame, runs: Callable[[], ChildRuns]) -> None:
    one = runs()
    with pytest.raises(
        TrustlakeError, match=r"trainer\.workers is 64, but not so many tasks can run at once"
    ):
        sweep([fold], replace(PLAN, workers=64), settings_of(trials=2), one, quiet)
    assert one.finished() == {}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "An error occurred.\n: a.b.Exception: no room\n\tat java.lang.Thread.run(T.java:8)\n\t... 3 more\n",
            "no room",
        ),
        ('Traceback:\n  File "x.py", line 1\nValueError: too odd\n  at last', "ValueError: too odd"),
        ("", "no reason given"),
    ],
)
def test_a_line_of_an_error_is_one_that_says_something(error: str, expected: str) -> None:
    assert in_a_line(error).endswith(expected)


@pytest.mark.parametrize("sampler", SEARCHES)
def test_a_sweep_ends_when_nothing_better_comes(sampler: str) -> None:
    seen, _ = drawn(
        settings_of(trials=30, enough=4, sampler=sampler),
        lambda suggestion: float(abs(suggestion.number - 3)),
    )
    assert [suggestion.number for suggestion in seen] == list(range(8))


def test_where_mlflow_is_down_the_trials_that_are_written_are_kept(
    fold: DataFrame, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient(store.uri)
    one = ChildRuns(client, store.experiment_id, client.create_run(store.experiment_id).info.run_id)
    written = ChildRuns.write

    def breaks_at_the_third(self: ChildRuns, trial: Trial) -> None:
        if trial.number == 2:
            raise MlflowException("API request failed: connection refused")
        written(self, trial)

    monkeypatch.setattr(ChildRuns, "write", breaks_at_the_third)
    with pytest.raises(TrustlakeError, match="it goes on after the 2 trials"):
        sweep([fold], PLAN, settings_of(), one, quiet)
    monkeypatch.setattr(ChildRuns, "write", written)
    assert sorted(one.finished()) == [0, 1]
    sweep([fold], PLAN, settings_of(), one, quiet)
    assert sorted(one.finished()) == list(range(6))


def test_trials_of_several_tasks_run_one_after_the_other_and_are_judged_on_all_validation_rows(
    fold: DataFrame, runs: Callable[[], ChildRuns]
) -> None:
    told: list[Trial] = []
    settings = settings_of(trials=3, start=[KNOWN])
    found = sweep([fold], replace(PLAN, workers=2), settings, runs(), lambda trial, _: told.append(trial))
    alone = counted(fold, runs(), settings_of(trials=1, start=[KNOWN]))[0]
    assert [trial.number for trial in told] == [0, 1, 2]
    assert found.score == max(trial.score or 0 for trial in told)
    assert told[0].params == alone.params
    assert told[0].score == pytest.approx(alone.score, abs=0.08)
    # Validation rows that one task has not must not keep the others waiting.
    first = fold.where("is_validation").orderBy("row").limit(1).select("row")
    few = fold.where("NOT is_validation").unionByName(fold.join(first, on="row").select(*fold.columns))
    sweep([few], replace(PLAN, workers=2), settings_of(trials=1), runs(), quiet)
