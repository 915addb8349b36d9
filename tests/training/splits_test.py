"""Folds in order of time: the Handbook's dates, the gap in which labels mature, and what no fold may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from training.splits import Fold, Split, SplitSettings, split

WEEK = timedelta(days=7)
HANDBOOK = SplitSettings(train_days=70, test_days=7, folds=4, validation_folds=1)


def day(month: int, on: int) -> datetime:
    return datetime(2018, month, on, tzinfo=UTC)


@pytest.fixture(scope="module")
def handbook() -> Split:
    return split(day(9, 12), HANDBOOK, WEEK)


def test_the_four_test_weeks_of_the_handbook(handbook: Split) -> None:
    assert [(fold.test_from, fold.test_to) for fold in handbook.stages[0].test] == [
        (day(8, 8), day(8, 15)),
        (day(8, 15), day(8, 22)),
        (day(8, 22), day(8, 29)),
        (day(8, 29), day(9, 5)),
    ]


def test_training_ends_a_maturity_before_the_test_and_has_its_length(handbook: Split) -> None:
    for fold in handbook.folds:
        assert fold.train_to == fold.test_from - WEEK
        assert fold.train_from == fold.train_to - timedelta(days=70)
        assert fold.labels_known_before == fold.test_from


def test_parameters_are_chosen_on_what_was_known_when_the_first_test_begins(handbook: Split) -> None:
    (validation,) = handbook.stages[0].validation
    assert (validation.test_from, validation.test_to) == (day(7, 25), day(8, 1))
    assert validation.judged_at == day(8, 8)
    assert all(fold.judged_at == day(9, 12) for fold in handbook.stages[0].test)
    assert (handbook.begin, handbook.end) == (validation.train_from, day(9, 5))


@pytest.mark.parametrize("matures_days", [0, 3, 35])
@pytest.mark.parametrize(("folds", "validation_folds"), [(1, 1), (3, 2)])
def test_every_fold_is_judged_on_matured_labels_and_trained_on_the_past(
    matures_days: int, folds: int, validation_folds: int
) -> None:
    settings = SplitSettings(train_days=20, test_days=5, folds=folds, validation_folds=validation_folds)
    matures = timedelta(days=matures_days)
    (found,) = split(day(9, 12), settings, matures).stages
    assert (len(found.test), len(found.validation)) == (folds, validation_folds)
    for fold in (*found.test, *found.validation):
        assert fold.test_to + matures <= fold.judged_at
        assert fold.train_to + matures <= fold.test_from < fold.test_to
    assert all(fold.judged_at <= found.test[0].test_from for fold in found.validation)
    together = (*found.validation, *found.test)
    assert all(one.test_to <= other.test_from for one, other in pairwise(together))


def test_a_fold_survives_its_way_through_a_tag(handbook: Split) -> None:
    assert Fold.from_json(handbook.stages[0].test[2].to_json()) == handbook.stages[0].test[2]
    assert str(handbook.stages[0].test[0]) == "2018-08-08 to 2018-08-15"


@pytest.mark.parametrize(
    "changes", [{"train_days": 0}, {"test_days": 0}, {"folds": 0}, {"validation_folds": 0}]
)
def test_lengths_and_numbers_are_at_least_one(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        SplitSettings(**({"train_days": 1, "test_days": 1} | changes))


def test_random_parts_are_each_tested_once_and_chosen_for_on_another() -> None:
    found = split(day(9, 12), SplitSettings(random_parts=4), WEEK)
    assert [stage.test[0].draw and stage.test[0].draw.tested for stage in found.stages] == [0, 1, 2, 3]
    for stage in found.stages:
        (validation,), (test,) = stage.validation, stage.test
        assert test.draw is not None
        assert validation.draw is not None
        assert validation.draw.left_out == test.draw.tested != validation.draw.tested
        assert (test.labels_known_before, test.judged_at, test.train_to) == (day(9, 12),) * 3
        assert Fold.from_json(validation.to_json()) == validation
    assert str(found.last) == "random part 4 of 4"
    assert found.end == day(9, 12)


def test_random_parts_are_chosen_for_on_as_many_others_as_are_asked_for() -> None:
    found = split(day(9, 12), SplitSettings(random_parts=4, validation_folds=3), WEEK)
    drawn = [fold.draw.tested for fold in found.stages[2].validation if fold.draw]
    assert drawn == [3, 0, 1]
    with pytest.raises(ValidationError, match="4 validation folds of 4 random parts"):
        SplitSettings(random_parts=4, validation_folds=4)


@pytest.mark.parametrize(
    "given", [{}, {"train_days": 3}, {"train_days": 3, "test_days": 2, "random_parts": 5}]
)
def test_either_lengths_or_random_parts_are_given(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give train_days and test_days, or random_parts"):
        SplitSettings(**given)
