"""Fits on Spark: the same bytes each time, cut at the best round, and as good by two tasks as by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import xgboost as xgb
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import average_precision_score, roc_auc_score

from training.trainers.fit import FitPlan, fit
from training.trainers.plan import TrainerSettings, choose_workers
from training.trainers.rows import read_rows

NAMES = ("amount", "tries", "hours")
PARAMS: dict[str, Any] = {
    "objective": "binary:logistic", "eval_metric": "aucpr", "tree_method": "hist", "eta": 0.5, "max_depth": 3,
    "subsample": 0.8, "nthread": 1, "seed": 11,
}  # fmt: skip
TRAIN, HELD = slice(0, 900), slice(900, 1200)
Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def values() -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Noisy rows with gaps: more rounds soon stop to help."""
    rng = np.random.default_rng(4)
    features = rng.normal(size=(1200, 3)).astype(np.float32)
    is_fraud = features[:, 0] + features[:, 1] * features[:, 2] + rng.normal(size=1200) > 1.2
    features[::9, 1] = np.nan
    return features, is_fraud


@pytest.fixture(scope="module")
def rows(_session: SparkSession, values: tuple[Floats, npt.NDArray[np.bool_]]) -> DataFrame:
    features, is_fraud = values
    listed = [
        (f"{n:05}", bool(is_fraud[n]), n >= HELD.start, [float(x) for x in features[n]])
        for n in range(len(features))
    ]
    schema = "row string, is_fraud boolean, is_validation boolean, features array<float>"
    return _session.createDataFrame(listed, schema)


def plan_of(**changes: Any) -> FitPlan:
    written: dict[str, Any] = {"features": NAMES, "params": PARAMS, "rounds": 200, "stop_after": 5}
    return FitPlan(**(written | changes))


def test_one_task_fits_what_xgboost_fits_by_itself(
    rows: DataFrame, values: tuple[Floats, npt.NDArray[np.bool_]]
) -> None:
    fitted = fit(rows.orderBy(F.xxhash64("row")), plan_of())
    features, is_fraud = values
    train = xgb.QuantileDMatrix(features[TRAIN], label=is_fraud[TRAIN], feature_names=list(NAMES))
    held = xgb.QuantileDMatrix(features[HELD], label=is_fraud[HELD], feature_names=list(NAMES), ref=train)
    own = xgb.train(PARAMS, train, 200, evals=[(held, "held")], early_stopping_rounds=5, verbose_eval=False)
    assert own.best_iteration + 1 < own.num_boosted_rounds()
    best = own[: own.best_iteration + 1]
    assert fitted.rounds == own.best_iteration + 1
    assert fitted.train_rows == 900
    booster = xgb.Booster(model_file=bytearray(fitted.booster))
    assert booster.num_boosted_rounds() == fitted.rounds
    assert booster.feature_names == list(NAMES)
    scores = booster.inplace_predict(features[HELD])
    assert np.array_equal(scores, best.inplace_predict(features[HELD]))
    assert fitted.validation is not None
    assert fitted.validation.roc_auc == pytest.approx(roc_auc_score(is_fraud[HELD], scores), abs=1e-12)
    expected = average_precision_score(is_fraud[HELD], scores)
    assert fitted.validation.average_precision == pytest.approx(expected, abs=1e-12)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(rows: DataFrame) -> None:
    train = rows.where("NOT is_validation")
    plan = plan_of(rounds=5, stop_after=None)
    first = fit(train, plan)
    assert first.booster == fit(train.orderBy(F.col("row").desc()), plan).booster
    assert (
        first.booster != fit(train, plan_of(rounds=5, stop_after=None, params=PARAMS | {"seed": 12})).booster
    )
    assert (first.rounds, first.validation) == (5, None)


def test_two_tasks_together_fit_a_booster_that_is_as_good_and_the_same_each_time(
    rows: DataFrame, values: tuple[Floats, npt.NDArray[np.bool_]]
) -> None:
    features, is_fraud = values
    train = rows.where("NOT is_validation")
    plan = plan_of(rounds=10, stop_after=None, workers=2)
    together = fit(train, plan)
    assert together.train_rows == 900
    assert together.rounds == 10
    assert together.booster == fit(train, plan).booster
    alone = fit(train, plan_of(rounds=10, stop_after=None))

    def ranked(booster: bytes) -> float:
        scores = xgb.Booster(model_file=bytearray(booster)).inplace_predict(features[HELD])
        return float(roc_auc_score(is_fraud[HELD], scores))

    assert ranked(alone.booster) > 0.75
    assert ranked(together.booster) == pytest.approx(ranked(alone.booster), abs=0.03)


def test_a_task_without_rows_does_not_stop_the_others(rows: DataFrame) -> None:
    one_side = rows.where("NOT is_validation").where(F.pmod(F.hash(F.xxhash64("row")), F.lit(2)) == 0)
    fitted = fit(one_side, plan_of(rounds=2, stop_after=None, workers=2))
    assert 0 < fitted.train_rows == one_side.count()


def test_a_trial_that_needs_no_booster_sends_none(rows: DataFrame) -> None:
    fitted = fit(rows, plan_of(rounds=2, keep_booster=False))
    assert fitted.booster == b""
    assert fitted.validation is not None


@pytest.mark.parametrize(
    ("rows_of", "workers", "why"),
    [
        (100, 1, "one worker: 100 rows are at most 100"),
        (101, 3, "3 workers: 101 rows are more than 100"),
    ],
)
def test_the_number_of_tasks_follows_the_rows(rows_of: int, workers: int, why: str) -> None:
    assert choose_workers(rows_of, TrainerSettings(distribute_above_rows=100, workers=3)) == (workers, why)


def test_batches_become_training_and_validation_rows() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "features": pa.array([[1, 2], [3, float("nan")], [5, 6]], pa.list_(pa.float32())),
            "is_fraud": [True, False, True],
            "is_validation": [False, True, False],
        }
    )
    train, validation = read_rows([batch.slice(0, 1), batch.slice(1, 2)], 2)
    assert train.features.tolist() == [[1, 2], [5, 6]]
    assert train.is_fraud.tolist() == [True, True]
    assert validation.features[0][0] == 3
    assert np.isnan(validation.features[0][1])
    nothing, _ = read_rows([], 2)
    assert nothing.features.shape == (0, 2)
