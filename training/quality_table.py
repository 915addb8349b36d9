"""The table of what was measured: one row per training, fold and metric."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession

from lake.described import described
from lake.tables import TableSpec
from training.metrics.estimate import Estimate

MODEL_QUALITY = TableSpec(
    "model_quality",
    "One row per training, test fold and metric, with the interval by bootstrap over days",
    described(
        "run_key string: Training that was judged",
        "model string: Registered name of the model",
        "fold string: Test period",
        "metric string: What was measured",
        "value double: Measured value; null where the period does not allow it",
        "low double: Lower limit of the interval",
        "high double: Upper limit of the interval",
    ),
)


def quality_rows(
    spark: SparkSession, run_key: str, model: str, folds: Mapping[str, Mapping[str, Estimate]]
) -> DataFrame:
    """The rows of one training."""
    rows = [
        (run_key, model, fold, metric, _known(e.value), _known(e.low), _known(e.high))
        for fold, evaluation in folds.items()
        for metric, e in evaluation.items()
    ]
    return spark.createDataFrame(rows, MODEL_QUALITY.schema)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
