"""What a fit says of features that tell nothing, from one task and from two."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import SparkSession

from training.trainers.fit import fit
from training.trainers.fit_plan import FitPlan

PARAMS = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "seed": 11}


@pytest.mark.parametrize("workers", [1, 2])
def test_features_that_tell_nothing_are_named(spark: SparkSession, workers: int) -> None:
    draw = np.random.default_rng(2)
    nan = float("nan")
    listed = []
    for n in range(400):
        told, gap = float(draw.normal()), nan if n % 3 else 1.5
        listed.append((f"{n:03}", told > 1, False, [told, nan, 7.0, told, gap, -told]))
    schema = "row string, is_fraud boolean, is_validation boolean, features array<float>"
    names = ("told", "later", "seven", "again", "gaps", "other")
    plan = FitPlan(features=names, params=PARAMS, rounds=2, workers=workers)
    seen = fit(spark.createDataFrame(listed, schema), plan).seen
    assert seen is not None
    assert seen.remarks(names) == [
        "no value in any training row: later. A model cannot learn from what comes only later",
        "one value in all training rows: seven, gaps",
        "the same in every training row: told, again",
    ]
