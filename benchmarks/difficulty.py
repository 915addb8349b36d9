"""Whether the simulated marketplace is as hard as a real one: ``make check-simulation``.

The platform's features are built of simulated logs, models learn from the labels that the platform knows at the time,
and the hidden truth judges them. No job reads that truth; this is none.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xgboost as xgb
import yaml
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from features.view import AS_OF
from jobs.build_features import BuildFeatures
from jobs.ingest_logs import IngestLogs
from jobs.job import check, open_lake, run_job
from jobs.simulate_logs import SimulateLogs
from lake.documents import decode
from lake.tables import Lake
from simulation.settings import SimulationSettings
from training.marketplace import payment_fraud
from training.metrics.compare import compare
from training.metrics.evaluate import evaluate
from training.metrics.predictions import PredictionColumns, Predictions
from training.metrics.settings import EvaluationSettings
from training.training_set import feature_array

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "conf" / "contracts"
MARKETPLACE = (ROOT / "conf" / "base.yml", ROOT / "conf" / "marketplace.yml")
AUC, RECALL = "roc_auc", "recall_at_1pct_fpr"
HARD = {AUC: (0.90, 0.97), RECALL: (0.35, 0.70)}
MOST_OF_ONE_COLUMN = 0.85
SEEDS = (1, 2, 3)
TRIALS, ROUNDS, STOP_AFTER = 16, 400, 40
VALIDATION = timedelta(days=28)
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rows:
    """Feature rows in time order, with the truth, and when the platform learned of fraud (NaT: never)."""

    truth: Predictions
    features: Floats
    told_at: NDArray[np.datetime64]

    def take(self, rows: NDArray[np.bool_]) -> Rows:
        return Rows(self.truth.take(rows), self.features[rows], self.told_at[rows])

    def since(self, begin: datetime) -> Rows:
        return self.take(self.truth.as_of >= _np(begin))

    def until(self, end: datetime) -> Rows:
        """The rows before ``end``."""
        return self.take(self.truth.as_of < _np(end))

    def matrix(self, known_before: datetime) -> xgb.DMatrix:
        """Features with the labels known by then."""
        return xgb.DMatrix(self.features, label=(self.told_at < _np(known_before)).astype(np.float32))


def main(argv: Sequence[str] | None = None) -> None:
    """Build, train, judge, print; the exit code is 1 where a figure is out of its bounds. See ``--help``."""
    parser = argparse.ArgumentParser(prog="difficulty", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="seed of the marketplace")
    parser.add_argument("--folder", type=Path, default=ROOT / ".trustlake" / "bench" / "difficulty")
    arguments = parser.parse_args(argv)
    folder = arguments.folder.absolute() / f"seed_{arguments.seed}"
    lake, settings = _built(folder, arguments.seed)
    found = [_one_column(lake, folder), *_models(_rows(lake, folder), settings)]
    print("\n| | found | expected | |\n|---|---|---|---|")
    for what, figure, expected, holds in found:
        print(f"| {what} | {figure} | {expected} | {'ok' if holds else '**out of bounds**'} |")
    sys.exit(0 if all(holds for *_, holds in found) else 1)


Finding = tuple[str, str, str, bool]


def _built(folder: Path, seed: int) -> tuple[Lake, SimulationSettings]:
    """Logs, events and features of one marketplace, which are built where they are not there yet.

    Only the logs that the features and the labels read are ingested.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places: dict[str, object] = {
        "lake": {"root": "lake"},
        "raw": {"root": "raw"},
        "mlflow": {"store": "mlflow"},
    }
    overlay = folder / "conf.yml"
    read = sorted({*payment_fraud.view.sources, payment_fraud.labels[0].source})
    places["contracts"] = [str(CONTRACTS / f"{log}.yml") for log in read]
    overlay.write_text(yaml.safe_dump(places | {"simulation": {"seed": seed}}), encoding="utf-8")
    files = [str(file) for file in (*MARKETPLACE, overlay)]
    for job in (SimulateLogs, IngestLogs, BuildFeatures):
        run_job(job, [part for file in files for part in ("--config", file)])
    loaded, _, _ = check(files)
    settings = decode(SimulationSettings, loaded.document.section("simulation"))
    return open_lake(loaded, "difficulty"), settings


def _truth(lake: Lake, folder: Path) -> DataFrame:
    return lake.spark.read.parquet(str(folder / "hidden_truth" / "payments.parquet")).select(
        "payment_id", "is_fraud"
    )


def _rows(lake: Lake, folder: Path) -> Rows:
    view, label = payment_fraud.view, payment_fraud.labels[0]
    told = lake.read(f"events_{label.source}").where(label.fraud)
    told = told.groupBy(F.col(label.on).alias(view.spine.row)).agg(F.min("known_at").alias("told_at"))
    frame = lake.read(view.table).join(_truth(lake, folder), on=view.spine.row)
    frame = frame.join(told, on=view.spine.row, how="left").orderBy(AS_OF, view.spine.row)
    table = frame.select(
        view.spine.row,
        AS_OF,
        "is_fraud",
        F.lit(0.0).alias("score"),
        "told_at",
        feature_array(view.features).alias("x"),
    ).toArrow()
    wide = pa.compute.list_flatten(table["x"]).to_numpy().reshape(len(table), -1).astype(np.float32)
    naive = table["told_at"].cast(pa.timestamp("us", tz="UTC")).to_numpy()
    columns = PredictionColumns(row_id=view.spine.row)
    return Rows(Predictions.from_arrow(table, columns), wide, naive.astype("datetime64[us]"))


def _models(rows: Rows, settings: SimulationSettings) -> Iterator[Finding]:
    """Judge a fresh model and one of the first third on the last third of the period."""
    begin = datetime.combine(settings.start_on, time(), UTC)
    first, second = (begin + timedelta(days=settings.days * part // 3) for part in (1, 2))
    judged = rows.since(second)
    fresh, old = ([_scored(rows.until(cut), cut, judged, seed) for seed in SEEDS] for cut in (second, first))
    print(
        f"{len(judged.truth):,} payments from {second:%Y-%m-%d} on, {judged.truth.fraud_count} of them fraud"
    )
    for name, (low, high) in HARD.items():
        found = evaluate(_median(fresh, name), EvaluationSettings())[name]
        yield (
            f"{name}, median of {len(SEEDS)} seeds",
            str(found),
            f"{low} to {high}",
            low <= found.value <= high,
        )
    for name in HARD:
        lost = compare(_median(old, name), _median(fresh, name), EvaluationSettings())[name]
        yield f"{name} of a model of the first third", lost.as_difference(), "loses", lost.value < 0


def _median(scored: Sequence[Predictions], name: str) -> Predictions:
    """The scores of the seed whose figure is the median."""
    quick = EvaluationSettings(draws=20)
    return sorted(scored, key=lambda one: evaluate(one, quick)[name].value)[len(scored) // 2]


def _scored(rows: Rows, cut: datetime, judged: Rows, seed: int) -> Predictions:
    """Rows scored by a model tuned and trained at ``cut`` on matured rows, as the platform would."""
    until = cut - payment_fraud.matures_after
    before, since = rows.until(until - VALIDATION).matrix(cut - VALIDATION), rows.since(until - VALIDATION)
    valid = since.until(until).matrix(cut)
    tried = [(_fit(before, valid, params), params) for params in _points(seed)]
    best, params = max(tried, key=lambda one: float(one[0].best_score))
    last = xgb.train(params, rows.until(until).matrix(cut), best.best_iteration + 1)
    return judged.truth.with_score(last.predict(xgb.DMatrix(judged.features)).astype(np.float64))


def _fit(train: xgb.DMatrix, valid: xgb.DMatrix, params: Mapping[str, Any]) -> xgb.Booster:
    watched = [(valid, "valid")]
    return xgb.train(
        params, train, ROUNDS, evals=watched, early_stopping_rounds=STOP_AFTER, verbose_eval=False
    )


def _points(seed: int) -> Iterator[dict[str, Any]]:
    """Parameters at random, from the space that ``conf/base.yml`` searches."""
    draw = np.random.default_rng(seed)
    for _ in range(TRIALS):
        yield {
            "objective": "binary:logistic",
            "eval_metric": "aucpr",
            "tree_method": "hist",
            "nthread": 2,
            "seed": seed,
            "max_depth": int(draw.integers(3, 8)),
            "learning_rate": float(np.exp(draw.uniform(np.log(0.02), np.log(0.3)))),
            "min_child_weight": float(np.exp(draw.uniform(0, np.log(50)))),
            "reg_lambda": float(np.exp(draw.uniform(np.log(0.5), np.log(50)))),
            "subsample": float(draw.uniform(0.6, 1.0)),
            "colsample_bytree": float(draw.uniform(0.4, 1.0)),
        }


def _one_column(lake: Lake, folder: Path) -> Finding:
    """The raw column that alone tells most: a number as it is, a text by how often it was fraud in the first half."""
    spine = payment_fraud.view.spine
    events = lake.read(f"events_{spine.source}").where(spine.where or "true")
    events = events.join(_truth(lake, folder), on=spine.row)
    told: dict[str, float] = {}
    for field in events.schema:
        if field.name not in {spine.row, "event_id", "is_fraud", "source_file", "ingest_batch"}:
            number = F.col(field.name).cast("double" if isinstance(field.dataType, NumericType) else "string")
            told[field.name] = _auc_alone(events.select("event_at", "is_fraud", number.alias("value")))
    most = max(told, key=lambda name: told[name])
    figure = f"{told[most]:.3f} ({most})"
    return (
        "roc_auc of one raw column, the best of all",
        figure,
        f"below {MOST_OF_ONE_COLUMN}",
        (told[most] < MOST_OF_ONE_COLUMN),
    )


def _auc_alone(values: DataFrame) -> float:
    """ROC-AUC of a column on the second half of the rows, in the better of both directions."""
    table = values.orderBy("event_at").toArrow()
    is_fraud = np.asarray(table["is_fraud"].to_numpy(), dtype=np.bool_)
    half = len(table) // 2
    if pa.types.is_floating(table["value"].type):
        score = np.nan_to_num(np.asarray(table["value"].to_numpy()), nan=-1.0)
    else:
        codes = np.asarray(table["value"].fill_null("").combine_chunks().dictionary_encode().indices)
        rows, frauds = (
            np.bincount(codes[:half], weights, codes.max() + 1) for weights in (None, is_fraud[:half])
        )
        base = is_fraud[:half].mean()
        # A value that is rare in the first half says hardly more than the base rate.
        score = ((frauds + 10 * base) / (rows + 10))[codes]
    auc = _auc(score[half:], is_fraud[half:])
    return max(auc, 1 - auc)


def _auc(score: NDArray[np.float64], is_fraud: NDArray[np.bool_]) -> float:
    """Mann-Whitney's: the share of pairs of a fraud and another row that are in order; ties count half."""
    honest = np.sort(score[~is_fraud])
    below = np.searchsorted(honest, score[is_fraud], side="left")
    upto = np.searchsorted(honest, score[is_fraud], side="right")
    return float((below + upto).mean() / 2 / len(honest))


def _np(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.replace(tzinfo=None), "us")


if __name__ == "__main__":
    main()
