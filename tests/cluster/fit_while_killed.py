"""A program for spark-submit: an executor dies in the middle of a fit; one JSON line says how the boosters compare."""

from __future__ import annotations

import json
import sys
import threading
import time

import numpy as np
import psutil
import xgboost as xgb
from pyspark.sql import functions as F

from jobs.session import SparkSettings, build_session
from training.trainers.fit_plan import FitPlan
from training.trainers.parts import fit_in_parts

FEATURES = tuple(f"f{n}" for n in range(10))
PARAMS = {
    "objective": "binary:logistic",
    "max_depth": 8,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "seed": 7,
    "nthread": 1,
}


def kill_executors(took: float, killed: list[int], retried: list[int], ended: threading.Event) -> None:
    """Kill an executor's JVM half way, as a machine that goes does it; again where none of its tasks was hit."""
    pause = took / 2
    while not ended.wait(pause) and not retried:
        for process in psutil.process_iter(["cmdline"]):
            if any("CoarseGrainedExecutorBackend" in word for word in process.info["cmdline"] or []):
                process.kill()
                killed.append(process.pid)
                break
        pause = took / 3


def main() -> None:
    """Fit undisturbed, fit while an executor is killed, compare, print."""
    spark = build_session(SparkSettings(), "fit while an executor is killed")
    noise = [F.randn(seed).cast("float") for seed in range(len(FEATURES))]
    made = spark.range(150_000).select(
        F.col("id").cast("string").alias("row"),
        F.array(*noise).alias("features"),
        (noise[0] + noise[1] * noise[2] + F.randn(99) * 0.5 > 1.2).alias("is_fraud"),
        F.lit(False).alias("is_validation"),
    )
    made.write.parquet(sys.argv[1])
    rows = spark.read.parquet(sys.argv[1])
    plan = FitPlan(features=FEATURES, params=PARAMS, rounds=80, workers=2)
    # The first fit also starts Python and compiles; the second tells how long one takes.
    undisturbed = fit_in_parts(rows, plan, part=20, attempts=1)
    began = time.monotonic()
    fit_in_parts(rows, plan, part=20, attempts=1)
    took = time.monotonic() - began
    killed: list[int] = []
    retried: list[int] = []
    ended = threading.Event()
    killer = threading.Thread(target=kill_executors, args=(took, killed, retried, ended))
    killer.start()
    survived = fit_in_parts(
        rows, plan, part=20, attempts=5, on_retry=lambda rounds, _: retried.append(rounds)
    )
    ended.set()
    killer.join()
    features = np.random.default_rng(1).normal(size=(1000, len(FEATURES))).astype(np.float32)
    scores = [
        xgb.Booster(model_file=bytearray(one.booster)).inplace_predict(features, validate_features=False)
        for one in (undisturbed, survived)
    ]
    gap = float(np.abs(scores[0] - scores[1]).max())
    print(
        "RESULT "
        + json.dumps({"killed": len(killed), "retried": retried, "rounds": survived.rounds, "gap": gap})
    )


if __name__ == "__main__":
    main()
