"""A fold fitted with given parameters and judged on its test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.errors import TrustlakeError
from training.artefact.predict import predict
from training.metrics.estimate import Estimate
from training.metrics.evaluate import evaluate
from training.metrics.predictions import PredictionColumns, Predictions
from training.metrics.settings import EvaluationSettings
from training.splits import Fold
from training.trainers.fit_plan import Fit, FitPlan
from training.trainers.parts import fit_in_parts
from training.trainers.plan import TrainerSettings, choose_workers
from training.trainers.spark_xgb import fit_by_spark_xgb
from training.training_set import AGE_DAYS, IS_FRAUD, IS_VALIDATION, WEIGHT, TestSettings, TrainingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One fold's booster and how good it is on rows it never saw, with labels that had matured by then.

    Attributes:
        states: how many rows of ``train`` and ``test``, or of ``all``, are in which state of their label.
    """

    fold: Fold
    fit: Fit
    frauds: int
    states: Mapping[str, Mapping[str, int]]
    why_workers: str
    predictions: Predictions
    evaluation: Mapping[str, Estimate]


def sweep_rows(stored: TrainingSet, fold: Fold) -> DataFrame:
    """A validation fold for trials: its training rows, and as ``is_validation`` its test rows, each counting once."""
    train = stored.train_rows(fold).withColumn(IS_VALIDATION, F.lit(False))
    validation = stored.test_rows(fold).withColumns(
        {IS_VALIDATION: F.lit(True), WEIGHT: F.lit(1.0), AGE_DAYS: F.lit(0.0)}
    )
    return train.unionByName(validation.select(*train.columns))


def fit_and_judge(
    stored: TrainingSet,
    fold: Fold,
    plan: FitPlan,
    *,
    trainer: TrainerSettings,
    metrics: EvaluationSettings,
) -> Judged:
    """Fit on the fold's training rows, in one task or several as their number asks, and judge on its test rows.

    Raises:
        TrustlakeError: the training rows are all of one class.
    """
    rows = stored.train_rows(fold).withColumn(IS_VALIDATION, F.lit(False))
    frauds, total = check_classes(rows, fold)
    workers, why = choose_workers(total, len(plan.features), plan.max_bin, trainer)
    placed = replace(plan, params=dict(plan.params) | {"nthread": trainer.threads}, workers=workers)
    part = trainer.checkpoint_rounds if workers > 1 else 0
    if trainer.kind == "spark_xgb":
        fitted = fit_by_spark_xgb(rows, placed)
    else:
        fitted = fit_in_parts(rows, placed, part=part, attempts=trainer.attempts if workers > 1 else 1)
    predictions = judge(stored.test_rows(fold), fitted.booster, stored.testing)
    return Judged(
        fold=fold,
        fit=fitted,
        frauds=frauds,
        states=stored.states(fold),
        why_workers=why,
        predictions=predictions,
        evaluation=evaluate(predictions, metrics),
    )


def check_classes(rows: DataFrame, fold: Fold) -> tuple[int, int]:
    """Frauds and rows of a fold's training period.

    Raises:
        TrustlakeError: there are no frauds, or nothing else.
    """
    counted = rows.agg(F.count("*").alias("rows"), F.count_if(IS_FRAUD).alias("frauds")).head()
    total, frauds = (counted["rows"], counted["frauds"]) if counted else (0, 0)
    if frauds in {0, total}:
        raise TrustlakeError(
            f"training rows from {fold.train_from:%Y-%m-%d} to {fold.train_to:%Y-%m-%d} hold {frauds} frauds among "
            f"{total} rows; both classes are needed: check --as-of, split.train_days and the label's source"
        )
    return frauds, total


def judge(rows: DataFrame, booster: bytes, testing: TestSettings) -> Predictions:
    """Score test rows and bring scores and truth to the driver: a test period, not a history."""
    scored = predict(rows, booster, keep=["row", "as_of", "entity", "amount", "slices", IS_FRAUD])
    slices: Sequence[str] = tuple(testing.slices)
    flat = scored.select("*", *(F.col("slices")[name].alias(name) for name in slices)).drop("slices")
    columns = PredictionColumns(
        row_id="row",
        entity="entity",
        amount_usd="amount" if testing.amount else None,
        slices=slices,
    )
    # To sort, Spark would sample the rows first, and score them for it.
    return Predictions.from_arrow(flat.toArrow().sort_by("row"), columns)
