"""A program for spark-submit: fits in one task and in two, and says as one JSON line how the boosters compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import xgboost as xgb
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

import training
from jobs.session import SparkSettings, build_session
from training.artefact.predict import predict
from training.trainers.fit import fit
from training.trainers.fit_plan import FitPlan

FEATURES = tuple(f"f{n}" for n in range(5))
PARAMS = {"objective": "binary:logistic", "max_depth": 3, "learning_rate": 0.2, "seed": 7, "nthread": 1}


def where_it_runs(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The working directory, which each executor has of its own, and where its code comes from."""
    for _ in batches:
        yield pa.RecordBatch.from_pydict({"folder": [str(Path.cwd())], "code": [training.__file__]})


def main() -> None:
    """Fit, compare, print."""
    spark = build_session(SparkSettings(), "fit both ways")
    noise = [F.randn(seed).cast("float") for seed in range(len(FEATURES))]
    rows = spark.range(6000).select(
        F.col("id").cast("string").alias("row"),
        F.array(*noise).alias("features"),
        (noise[0] + noise[1] * noise[2] + F.randn(99) * 0.5 > 1.2).alias("is_fraud"),
        F.lit(False).alias("is_validation"),
    )
    rows = rows.repartition(2, "row").localCheckpoint()
    homes = rows.mapInArrow(where_it_runs, "folder string, code string", barrier=True).distinct().collect()
    scores, truth, gaps = {}, None, {}
    for workers in (1, 2):
        plan = FitPlan(features=FEATURES, params=PARAMS, rounds=30, workers=workers)
        booster = fit(rows, plan).booster
        on_spark = predict(rows, booster, keep=["row", "is_fraud"]).orderBy("row").toArrow()
        features = np.array(
            rows.orderBy("row").select("features").toArrow()["features"].to_pylist(), dtype=np.float32
        )
        native = xgb.Booster(model_file=bytearray(booster)).inplace_predict(features, validate_features=False)
        scores[workers] = on_spark["score"].to_numpy()
        truth = on_spark["is_fraud"].to_numpy()
        gaps[workers] = float(np.abs(scores[workers] - native).max())
    said = {
        "folders": sorted(home["folder"] for home in homes),
        "code": sorted({home["code"] for home in homes}),
        "gap_native_to_spark": gaps,
        "roc_auc": {workers: float(roc_auc_score(truth, found)) for workers, found in scores.items()},
        "correlation": float(np.corrcoef(scores[1], scores[2])[0, 1]),
    }
    print("RESULT " + json.dumps(said))


if __name__ == "__main__":
    main()
