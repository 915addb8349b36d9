"""A fit and a sweep, by the platform and by what one would pick instead: ``python -m benchmarks.training``.

Each is a process of its own on the same Parquet file of generated rows, reading included, interleaved. CPU is that of
the whole process tree, less an empty Spark session's where there is one; medians.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost as xgb
from hyperopt import STATUS_OK, Trials, fmin, space_eval, tpe
from mlflow import MlflowClient
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import average_precision_score
from xgboost.spark import SparkXGBClassifier

from benchmarks.measure import Cost, measured
from jobs.session import SparkSettings, build_session
from training.sweep.child_runs import ChildRuns
from training.sweep.settings import SweepSettings
from training.sweep.sweep import sweep
from training.trainers.fit import fit
from training.trainers.fit_plan import FitPlan

ROOT = Path(__file__).parents[1]
FEATURES = 60
NAMES = tuple(f"f{n}" for n in range(FEATURES))
ROUNDS, SWEEP_ROUNDS, STOP_AFTER = 50, 60, 10
# Shares of values that are missing and of rows to validate on, and where the 2 % of fraud begin.
GAPS, HELD, BAD = 0.05, 0.25, 15
PARAMS: dict[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 6,
    "eta": 0.1,
    "seed": 7,
}
# No max_bin: SparkXGBClassifier bins its validation rows by the default and fails with any other.
SPACE = {
    "max_depth": {"integer": [3, 7]},
    "learning_rate": {"loguniform": [0.05, 0.3]},
    "min_child_weight": {"loguniform": [1, 30]},
    "subsample": {"uniform": [0.6, 1.0]},
}
FIXED: dict[str, float | str] = {
    "objective": "binary:logistic",
    "eval_metric": "aucpr",
    "tree_method": "hist",
}
EMPTY, NATIVE, ONE, TWO, SPARK_ML = "empty session", "native", "one task", "two tasks", "SparkXGBClassifier"
OWN_SWEEP, PRUNED_SWEEP = "sweep", "sweep that gives trials up"
PLAIN_SWEEP = "fmin over SparkXGBClassifier"
# What Optuna's median pruner waits for.
_PRUNE_AFTER = 5
_TIMEOUT_SECONDS = 7200.0


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print two tables in Markdown; see ``--help``."""
    parser = argparse.ArgumentParser(prog="training", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the fit")
    parser.add_argument(
        "--sweep-rows", type=int, default=200_000, help="rows of the sweep, a quarter of them to validate"
    )
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / ".trustlake" / "bench" / "training")
    parser.add_argument("--step", help="what a measured process does")
    arguments = parser.parse_args(argv)
    folder = arguments.folder.absolute()
    if arguments.step:
        STEPS[arguments.step](folder, arguments.trials)
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _generate(folder / "rows.parquet", arguments.rows)
    _generate(folder / "sweep.parquet", arguments.sweep_rows)
    _compare(folder, [EMPTY, NATIVE, ONE, TWO, SPARK_ML], arguments.repeats, arguments.trials, NATIVE)
    sweeps = [EMPTY, OWN_SWEEP, PRUNED_SWEEP, PLAIN_SWEEP]
    _compare(folder, sweeps, arguments.repeats, arguments.trials, PLAIN_SWEEP)


def _generate(place: Path, rows: int) -> None:
    """Rows of which 2 % are fraud, with gaps and features of which a third tells something."""
    draw = np.random.default_rng(7)
    with pq.ParquetWriter(place, _schema()) as writer:
        for first in range(0, rows, 100_000):
            number = min(100_000, rows - first)
            values = draw.normal(size=(number, FEATURES)).astype(np.float32)
            values[:, ::2] = np.maximum(values[:, ::2], 0)
            told = values[:, :20].sum(axis=1) + 2 * values[:, 0] * values[:, 3] + 3 * draw.normal(size=number)
            values[draw.random(values.shape) < GAPS] = np.nan
            listed = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), FEATURES).cast(
                pa.list_(pa.float32())
            )
            columns = {
                "row": [f"{first + n:09}" for n in range(number)],
                "is_fraud": told > BAD,
                "is_validation": draw.random(number) < HELD,
                "features": listed,
            }
            writer.write_table(pa.table(columns, _schema()))


def _schema() -> pa.Schema:
    return pa.schema(
        [
            ("row", pa.string()),
            ("is_fraud", pa.bool_()),
            ("is_validation", pa.bool_()),
            ("features", pa.list_(pa.float32())),
        ]
    )


def _session() -> SparkSession:
    return build_session(SparkSettings(master="local[2]", driver_memory="4g"), "benchmark")


def _empty(_: Path, __: int) -> None:
    _session().range(1).count()


def _native(folder: Path, _: int) -> None:
    table = pq.read_table(folder / "rows.parquet", columns=["is_fraud", "features"])
    features = table["features"].combine_chunks().flatten().to_numpy().reshape(-1, FEATURES)
    truth = table["is_fraud"].to_numpy().astype(np.float32)
    xgb.train(PARAMS | {"nthread": 2}, xgb.QuantileDMatrix(features, label=truth), ROUNDS)


def _fit(folder: Path, _: int, *, workers: int) -> None:
    rows = _session().read.parquet(str(folder / "rows.parquet")).withColumn("is_validation", F.lit(False))
    params = PARAMS | {"nthread": 2 // workers}
    fit(rows, FitPlan(features=NAMES, params=params, rounds=ROUNDS, workers=workers))


def _spark_ml(folder: Path, _: int) -> None:
    rows = (
        _session()
        .read.parquet(str(folder / "rows.parquet"))
        .withColumn("fraud", F.col("is_fraud").cast("int"))
    )
    _estimator(PARAMS, ROUNDS).fit(rows.select("fraud", "features"))


def _estimator(params: dict[str, Any], rounds: int, **more: Any) -> SparkXGBClassifier:
    own = {name: value for name, value in params.items() if name not in {"objective", "seed"}}
    return SparkXGBClassifier(
        features_col="features",
        label_col="fraud",
        num_workers=2,
        n_estimators=rounds,
        random_state=7,
        **own,
        **more,
    )


def _settings(trials: int, prune_after: int | None = None) -> SweepSettings:
    return SweepSettings.model_validate(
        {
            "trials": trials,
            "prune_after": prune_after,
            "rounds": SWEEP_ROUNDS,
            "stop_after": STOP_AFTER,
            "fixed": FIXED,
            "space": SPACE,
        }
    )


def _own_sweep(folder: Path, trials: int, *, prune_after: int | None = None) -> None:
    rows = _session().read.parquet(str(folder / "sweep.parquet"))
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    experiment = client.create_experiment(folder.name, artifact_location=(folder / "artifacts").as_uri())
    runs = ChildRuns(client, experiment, client.create_run(experiment).info.run_id)
    plan = FitPlan(features=NAMES, params={}, rounds=SWEEP_ROUNDS, stop_after=STOP_AFTER)
    settings = _settings(trials, prune_after)
    print(json.dumps({"best": sweep([rows], plan, settings, runs, lambda _, __: None).score}))


def _plain_sweep(folder: Path, trials: int) -> None:
    """What a notebook does: each trial an estimator's fit, judged on the validation rows."""
    given = _session().read.parquet(str(folder / "sweep.parquet"))
    rows = (
        given.withColumn("fraud", F.col("is_fraud").cast("int"))
        .select("fraud", "is_validation", "features")
        .repartition(2)
        .persist()
    )
    validation = rows.where("is_validation")
    space = _settings(trials).expressions()

    def loss(drawn: dict[str, Any]) -> dict[str, Any]:
        drawn["max_depth"] = int(drawn["max_depth"])
        params = FIXED | drawn
        early = {"validation_indicator_col": "is_validation", "early_stopping_rounds": STOP_AFTER}
        model = _estimator(params, SWEEP_ROUNDS, **early).fit(rows)
        return {"status": STATUS_OK, "loss": -_judged(model.transform(validation))}

    tried = Trials()
    found = fmin(
        loss,
        space,
        algo=tpe.suggest,
        max_evals=trials,
        trials=tried,
        rstate=np.random.default_rng(7),
        verbose=False,
    )
    print(json.dumps({"best": -min(tried.losses()), "params": str(space_eval(space, found))}))


def _judged(scored: DataFrame) -> float:
    pandas = scored.select("fraud", "probability").toPandas()
    return float(average_precision_score(pandas["fraud"], [chance[1] for chance in pandas["probability"]]))


STEPS: dict[str, Callable[[Path, int], None]] = {
    EMPTY: _empty,
    NATIVE: _native,
    ONE: partial(_fit, workers=1),
    TWO: partial(_fit, workers=2),
    SPARK_ML: _spark_ml,
    OWN_SWEEP: _own_sweep,
    PRUNED_SWEEP: partial(_own_sweep, prune_after=_PRUNE_AFTER),
    PLAIN_SWEEP: _plain_sweep,
}


def _compare(folder: Path, steps: Sequence[str], repeats: int, trials: int, base: str) -> None:
    found: dict[str, list[Cost]] = defaultdict(list)
    best: dict[str, float] = {}
    for _ in range(repeats):
        for step in steps:
            (folder / "mlflow.db").unlink(missing_ok=True)
            log = folder / f"{step.replace(' ', '_')}.log"
            command = [sys.executable, "-m", "benchmarks.training", "--step", step, "--folder", str(folder)]
            command += ["--trials", str(trials)]
            found[step].append(measured(command, folder=ROOT, log=log, timeout=_TIMEOUT_SECONDS))
            for line in log.read_text(encoding="utf-8").splitlines():
                if line.startswith('{"best"'):
                    best[step] = json.loads(line)["best"]
            print(f"{step}: {found[step][-1].cpu_seconds:.1f} CPU s", file=sys.stderr)
    start = statistics.median(cost.cpu_seconds for cost in found.pop(EMPTY))
    cpu = {
        step: statistics.median(cost.cpu_seconds for cost in costs) - (0 if step == NATIVE else start)
        for step, costs in found.items()
    }
    print(
        f"\n| | CPU s | x {base} | wall s | peak GB | Python GB | best score |\n|---|---|---|---|---|---|---|"
    )
    for step, costs in found.items():
        wall = statistics.median(cost.wall_seconds for cost in costs)
        peak, python = (
            max(getattr(cost, part) for cost in costs) / 1e9 for part in ("peak_bytes", "python_bytes")
        )
        score = f"{best[step]:.4f}" if step in best else ""
        ratio = cpu[step] / cpu[base]
        print(
            f"| {step} | {cpu[step]:.1f} | {ratio:.2f} | {wall:.0f} | {peak:.1f} | {python:.1f} | {score} |"
        )


if __name__ == "__main__":
    main()
