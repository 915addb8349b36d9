"""Scores of a booster for the rows of a Spark frame, computed on executors from plain bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import xgboost as xgb
from pyspark.sql import DataFrame
from pyspark.sql.types import DoubleType, StructType

from training.training_set import FEATURES

SCORE = "score"


def predict(rows: DataFrame, booster: bytes, *, keep: Sequence[str]) -> DataFrame:
    """Score rows.

    Args:
        rows: ``features``, an array of floats in the booster's order, and the columns to keep.
        booster: UBJ bytes, cut to the best round.

    Returns:
        One row per row: the kept columns, and ``score``, the chance of fraud (0 to 1).
    """
    wanted = rows.select(*keep, FEATURES)
    schema = StructType([*(wanted.schema[name] for name in keep)]).add(SCORE, DoubleType())
    return wanted.mapInArrow(_predictor(booster, tuple(keep)), schema)


def _predictor(
    booster: bytes, keep: tuple[str, ...]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = xgb.Booster()
        model.load_model(bytearray(booster))
        model.set_param({"nthread": 1})
        width = model.num_features()
        for batch in batches:
            matrix = batch.column(FEATURES).flatten().to_numpy().reshape(-1, width)
            scores = model.inplace_predict(matrix, validate_features=False).astype(np.float64)
            kept = [batch.column(name) for name in keep]
            yield pa.RecordBatch.from_arrays([*kept, pa.array(scores)], names=[*keep, SCORE])

    return run
