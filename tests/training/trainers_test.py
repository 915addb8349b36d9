"""Fits on Spark: the same bytes each time, cut at the best round, and as good by two tasks as by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import xgboost as xgb
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import average_precision_score, roc_auc_score

from lake.errors import ConfigError, TrustlakeError
from training.artefact.predict import predict
from training.trainers import parts as parts_module
from training.trainers.fit import fit
from training.trainers.fit_plan import Fit, FitPlan
from training.trainers.parts import fit_in_parts
from training.trainers.plan import TrainerSettings, choose_workers, memory_of
from training.trainers.rows import read_rows
from training.trainers.spark_xgb import fit_by_spark_xgb

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


def test_without_early_stopping_all_rounds_are_grown_and_the_validation_rows_are_watched(
    rows: DataFrame,
) -> None:
    fitted = fit(rows, plan_of(rounds=25, stop_after=None))
    assert fitted.rounds == 25
    assert len(fitted.curve) == 2
    assert fitted.validation is not None


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
    ("settings", "workers", "why"),
    [
        ({}, 1, "one worker: 1,000,000 rows of 60 features take 0.53 GB, at most 4 are allowed"),
        ({"memory_gb": 0.5}, 3, "3 workers: 1,000,000 rows of 60 features take 0.53 GB, more than 0.5"),
        ({"memory_gb": 0.5, "kind": "one_task"}, 1, "one worker: trainer.kind is one_task"),
        ({"kind": "several_tasks"}, 3, "3 workers: trainer.kind is several_tasks"),
    ],
)
def test_the_number_of_tasks_follows_the_memory_that_rows_take(
    settings: dict[str, Any], workers: int, why: str
) -> None:
    assert choose_workers(1_000_000, 60, 256, TrainerSettings(workers=3, **settings)) == (workers, why)
    assert memory_of(1_000_000, 60, 1024) > memory_of(1_000_000, 60, 256)


def test_batches_become_training_and_validation_rows() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "features": pa.array([[1, 2], [3, float("nan")], [5, 6]], pa.list_(pa.float32())),
            "is_fraud": [True, False, True],
            "is_validation": [False, True, False],
            "loss": [20.0, 0.0, 30.0],
            "weight": [1.0, 1.0, 0.5],
            "age_days": [1.5, 0.0, 2.0],
        }
    )
    train, validation = read_rows([batch.slice(0, 1), batch.slice(1, 2)], 2)
    assert train.features.tolist() == [[1, 2], [5, 6]]
    assert train.is_fraud.tolist() == [True, True]
    assert train.day.tolist() == [1, 2]
    assert validation.features[0][0] == 3
    assert np.isnan(validation.features[0][1])
    nothing, _ = read_rows([], 2)
    assert nothing.features.shape == (0, 2)


def loaded(booster: bytes) -> xgb.Booster:
    return xgb.Booster(model_file=bytearray(booster))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fit_in_parts_is_the_fit_in_one(
    rows: DataFrame, values: tuple[Floats, npt.NDArray[np.bool_]], workers: int
) -> None:
    train, features = rows.where("NOT is_validation"), values[0]
    plan = plan_of(rounds=7, stop_after=None, workers=workers, params=PARAMS | {"seed_per_iteration": True})
    parts = fit_in_parts(train, plan, part=3, attempts=1)
    whole = fit(train, plan)
    assert parts.rounds == whole.rounds == 7
    assert np.array_equal(
        loaded(parts.booster).inplace_predict(features), loaded(whole.booster).inplace_predict(features)
    )


def test_a_part_that_fails_is_tried_again_from_the_booster_before_it(
    rows: DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = rows.where("NOT is_validation")
    plan = plan_of(rounds=4, stop_after=None, workers=2)
    undisturbed = fit_in_parts(train, plan, part=2, attempts=1)
    real, marks = fit, tmp_path / "failed"

    def fails_once(frame: DataFrame, part: FitPlan) -> Fit:
        """A task of the second part dies, once, as it does with its executor."""
        if part.start is None or marks.exists():
            return real(frame, part)
        marks.touch()
        return real(
            frame.withColumn("features", F.raise_error(F.lit("the executor is gone")).cast("array<float>")),
            part,
        )

    monkeypatch.setattr(parts_module, "fit", fails_once)
    told: list[int] = []
    found = fit_in_parts(train, plan, part=2, attempts=2, on_retry=lambda rounds, _: told.append(rounds))
    assert (found.booster, told) == (undisturbed.booster, [2])
    marks.unlink()
    with pytest.raises(PySparkException, match="the executor is gone"):
        fit_in_parts(train, plan, part=2, attempts=1)


def test_more_workers_than_slots_are_told_in_seconds(rows: DataFrame) -> None:
    plan = plan_of(rounds=1, stop_after=None, workers=64)
    with pytest.raises(
        TrustlakeError, match=r"trainer\.workers is 64, but not so many tasks can run at once"
    ):
        fit_in_parts(rows, plan, part=0, attempts=2)


def weighted(rows: DataFrame, fraud: float) -> DataFrame:
    return rows.where("NOT is_validation").withColumn(
        "weight", F.when(F.col("is_fraud"), fraud).otherwise(1.0)
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_weighted_frauds_leave_the_probabilities_as_they_are(
    rows: DataFrame, values: tuple[Floats, npt.NDArray[np.bool_]], workers: int
) -> None:
    features, is_fraud = values
    plan = plan_of(rounds=12, stop_after=None, workers=workers)
    plain = loaded(fit(weighted(rows, 1.0), plan).booster).inplace_predict(features)
    distorted = loaded(fit(weighted(rows, 20.0), plan).booster).inplace_predict(features)
    right = loaded(fit(weighted(rows, 20.0), replace(plan, keeps_odds=False)).booster).inplace_predict(
        features
    )
    frauds = float(is_fraud[TRAIN].mean())
    assert float(plain[TRAIN].mean()) == pytest.approx(frauds, abs=0.01)
    assert float(distorted[TRAIN].mean()) > 2 * frauds
    assert float(right[TRAIN].mean()) == pytest.approx(frauds, abs=1e-4)
    assert float(right[HELD].mean()) == pytest.approx(float(is_fraud[HELD].mean()), abs=0.03)
    # Only the intercept moved: the order is as it was.
    assert np.array_equal(np.argsort(right, kind="stable"), np.argsort(distorted, kind="stable"))
    by_parameter = replace(plan, params=PARAMS | {"scale_pos_weight": 20})
    scaled = loaded(fit(weighted(rows, 1.0), by_parameter).booster).inplace_predict(features)
    assert float(scaled[TRAIN].mean()) == pytest.approx(frauds, abs=1e-4)


def test_expected_loss_costs_less_than_an_objective_that_knows_no_money(spark: SparkSession) -> None:
    rng = np.random.default_rng(8)
    number = 4000
    features = rng.normal(size=(number, 2)).astype(np.float32)
    # The second feature tells the money, and frauds of much money look like others.
    money = np.exp(3 * (features[:, 1] > 1)) * 5
    is_fraud = rng.random(number) < 1 / (1 + np.exp(-(2 * features[:, 0] - 3)))
    listed = [
        (
            f"{n:05}",
            bool(is_fraud[n]),
            False,
            [float(x) for x in features[n]],
            float(money[n] if is_fraud[n] else 4),
        )
        for n in range(number)
    ]
    schema = "row string, is_fraud boolean, is_validation boolean, features array<float>, weight double"
    frame = spark.createDataFrame(listed, schema)
    params = {"max_depth": 3, "eta": 0.3, "nthread": 1, "seed": 1}
    plain_plan = FitPlan(features=("x", "money"), params=params | {"objective": "binary:logistic"}, rounds=30)
    loss_plan = replace(plain_plan, params=params | {"objective": "expected_loss"})

    def cost(rows: DataFrame, plan: FitPlan) -> float:
        stopped = loaded(fit(rows, plan).booster).inplace_predict(features) >= 0.5
        return float(np.where(is_fraud & ~stopped, money, 0).sum() + 4 * (stopped & ~is_fraud).sum())

    assert cost(frame, loss_plan) < 0.9 * cost(frame.drop("weight"), plain_plan)


def test_a_score_rises_only_where_it_is_told_to(rows: DataFrame) -> None:
    grid = np.zeros((50, 3), dtype=np.float32)
    grid[:, 0] = np.linspace(-3, 3, 50)
    train = rows.where("NOT is_validation")
    free = loaded(fit(train, plan_of(rounds=20, stop_after=None)).booster).inplace_predict(grid)
    bound = fit(train, plan_of(rounds=20, stop_after=None, monotone={"amount": 1, "not a feature": 1}))
    assert (np.diff(free) < 0).any()
    assert (np.diff(loaded(bound.booster).inplace_predict(grid)) >= 0).all()


def test_rows_older_than_the_training_days_are_left_out(rows: DataFrame) -> None:
    aged = rows.withColumn("age_days", F.col("row").cast("int") / 10)
    plan = plan_of(rounds=3, stop_after=None, params=PARAMS | {"train_days": 30})
    young = rows.where("cast(row AS int) <= 300")
    assert fit(aged, plan).train_rows == 301
    assert fit(aged, plan).booster == fit(young, plan_of(rounds=3, stop_after=None)).booster


@pytest.mark.parametrize("workers", [1, 2])
def test_categories_part_rows_whose_codes_have_no_order(spark: SparkSession, workers: int) -> None:
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 40, 2000)
    bad = set(rng.permutation(40)[:13].tolist())
    is_fraud = np.array([code in bad for code in codes]) ^ (rng.random(2000) < 0.05)
    features = np.stack([codes, rng.normal(size=2000)], axis=1).astype(np.float32)
    features[::50, 0] = np.nan
    listed = [(f"{n:05}", bool(is_fraud[n]), n >= 1500, [float(x) for x in features[n]]) for n in range(2000)]
    schema = "row string, is_fraud boolean, is_validation boolean, features array<float>"
    rows = spark.createDataFrame(listed, schema)
    params = {"objective": "binary:logistic", "max_depth": 1, "eta": 0.5, "nthread": 1, "seed": 1}
    plan = FitPlan(
        features=("code", "noise"), params=params, rounds=10, workers=workers, categorical=frozenset({"code"})
    )
    booster = loaded(fit(rows.where("NOT is_validation"), plan).booster)
    assert booster.feature_types == ["c", "q"]
    held = features[1500:].copy()
    assert roc_auc_score(is_fraud[1500:], booster.inplace_predict(held)) > 0.9
    numbers = loaded(fit(rows.where("NOT is_validation"), replace(plan, categorical=frozenset())).booster)
    assert roc_auc_score(is_fraud[1500:], numbers.inplace_predict(held)) < 0.9
    # Spark, the artefact's way and XGBoost's own give one score, of a code that was never seen too.
    held[0, 0] = 777
    given = spark.createDataFrame(
        [(n, [float(x) for x in row]) for n, row in enumerate(held)], "n int, features array<float>"
    )
    scored = (
        predict(given, bytes(booster.save_raw("ubj")), keep=["n"]).orderBy("n").toArrow()["score"].to_numpy()
    )
    matrix = xgb.DMatrix(
        held, feature_names=["code", "noise"], feature_types=["c", "q"], enable_categorical=True
    )
    assert np.array_equal(scored.astype(np.float32), booster.predict(matrix))


def test_sparks_own_estimator_gives_the_same_artefact(
    rows: DataFrame, values: tuple[Floats, npt.NDArray[np.bool_]]
) -> None:
    features, is_fraud = values
    train = rows.where("NOT is_validation")
    params = {name: value for name, value in PARAMS.items() if name != "subsample"}
    plan = plan_of(rounds=20, stop_after=None, params=params, workers=2)
    theirs, ours = fit_by_spark_xgb(train, plan), fit(train, plan)
    assert (theirs.rounds, theirs.train_rows) == (ours.rounds, ours.train_rows) == (20, 900)
    assert loaded(theirs.booster).feature_names == loaded(ours.booster).feature_names == list(NAMES)
    ranked = [
        roc_auc_score(is_fraud[HELD], loaded(one.booster).inplace_predict(features[HELD]))
        for one in (theirs, ours)
    ]
    assert ranked[0] == pytest.approx(ranked[1], abs=0.03)
    with pytest.raises(
        ConfigError, match=r"trainer\.kind is spark_xgb, which knows no train_days, expected_loss"
    ):
        fit_by_spark_xgb(
            train, replace(plan, params=params | {"train_days": 3, "objective": "expected_loss"})
        )
    with pytest.raises(ConfigError, match=r"which knows no reg:squarederror; use auto"):
        fit_by_spark_xgb(train, replace(plan, params=params | {"objective": "reg:squarederror"}))
