"""Models of the money lost: how much of it, and which rows of a day lose more than others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyspark.sql import SparkSession

from tests.training.trainers_test import loaded
from training.trainers.fit import fit
from training.trainers.fit_plan import FitPlan


@pytest.mark.parametrize("workers", [1, 2])
def test_the_money_at_risk_is_foretold_through_the_same_interface(spark: SparkSession, workers: int) -> None:
    draw = np.random.default_rng(3)
    features = draw.normal(size=(2000, 2)).astype(np.float32)
    is_fraud = features[:, 0] + 0.3 * draw.normal(size=2000) > 1
    money = np.where(is_fraud, np.exp(3 + features[:, 1]), 0.0)
    listed = [
        (f"{n:05}", bool(is_fraud[n]), False, float(money[n]), [float(x) for x in features[n]])
        for n in range(2000)
    ]
    schema = "row string, is_fraud boolean, is_validation boolean, loss double, features array<float>"
    rows = spark.createDataFrame(listed, schema)
    params = {"objective": "reg:squarederror", "max_depth": 4, "eta": 0.2, "nthread": 1, "seed": 1}
    plan = FitPlan(features=("chance", "size"), params=params, rounds=40, workers=workers)
    foretold = loaded(fit(rows, plan).booster).inplace_predict(features)
    assert float(foretold.mean()) == pytest.approx(float(money.mean()), rel=0.05)
    assert np.corrcoef(foretold, money)[0, 1] > 0.9
    # Of two frauds the larger comes first: what is foretold ranks by expected loss.
    chance = loaded(fit(rows, replace(plan, params=params | {"objective": "binary:logistic"})).booster)
    order = np.argsort(-foretold)[:100], np.argsort(-chance.inplace_predict(features))[:100]
    assert money[order[0]].sum() > 1.3 * money[order[1]].sum()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("objective", ["rank:pairwise", "rank:ndcg"])
def test_rows_of_a_day_are_ranked_by_the_money_lost(
    spark: SparkSession, objective: str, workers: int
) -> None:
    """Each day has a level of its own, which a ranking within days does not learn."""
    draw = np.random.default_rng(5)
    features = draw.normal(size=(3000, 3)).astype(np.float32)
    day = draw.integers(0, 20, size=3000)
    features[:, 2] = day
    is_fraud = features[:, 0] > 0.5
    money = np.where(is_fraud, np.exp(3 + features[:, 1]) + 200.0 * day, 0.0)
    listed = [
        (
            f"{n:05}",
            bool(is_fraud[n]),
            n % 5 == 0,
            float(money[n]),
            float(day[n]) + 0.5,
            [float(x) for x in features[n]],
        )
        for n in range(3000)
    ]
    schema = "row string, is_fraud boolean, is_validation boolean, loss double, age_days double, features array<float>"
    rows = spark.createDataFrame(listed, schema)
    params = {"objective": objective, "max_depth": 3, "eta": 0.3, "nthread": 1, "seed": 1}
    plan = FitPlan(
        features=("chance", "size", "day"),
        params=params,
        rounds=30,
        stop_after=None,
        workers=workers,
        is_trial=True,
    )
    fitted = fit(rows, plan)
    score = loaded(fitted.booster).inplace_predict(features)
    assert plan.learns == "order"
    agreed = [
        np.corrcoef(np.argsort(np.argsort(score[of_day])), np.argsort(np.argsort(money[of_day])))[0, 1]
        for of_day in ((day == number) & is_fraud for number in range(20))
    ]
    assert np.mean(agreed) > 0.9
    assert score[is_fraud].mean() > score[~is_fraud].mean() + 1
    assert len(fitted.curve) == 3
