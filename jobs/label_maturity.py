"""How long labels took, as a training finds it: stored, drawn, and held against what the model declares."""

from __future__ import annotations

from datetime import timedelta

import mlflow
from pyspark.sql import DataFrame

from jobs.job import Context
from training.maturity.curve import WINDOW
from training.maturity.delays import curves
from training.maturity.plot import draw_maturity
from training.maturity.table import LABEL_MATURITY, maturity_rows
from training.model import Model


def measure_maturity(context: Context, model: Model, rows: DataFrame, name: str, key: str) -> None:
    """Measure as known at the training's instant; the picture goes to the active run.

    Args:
        rows: of a training set.
        name: registered name of the model.
        key: the training's run key.
    """
    lake, before = context.lake, context.arguments.as_of
    found = curves(rows, model.labels, before)
    lake.ensure(LABEL_MATURITY)
    written = maturity_rows(context.spark, key, name, found)
    lake.replace(LABEL_MATURITY.name, written, where=f"run_key = '{key}'")
    mlflow.log_figure(
        draw_maturity(found, model.matures_after / timedelta(days=1)), "review/label_maturity.png"
    )
    for label in model.labels:
        curve, waited = found[label.source], label.matures_after.days
        day = curve.day_by_which(WINDOW)
        if label.silence_acquits and day is not None and day > waited:
            context.log.warning(
                "labels of %s: rows count as matured after %d days, by which %.0f %% are known; %.0f %% take %d days. "
                "Some frauds are taken for others: raise matures_after, or set training.weights.maturity",
                *(label.source, waited, 100 * curve.known_by(waited), 100 * WINDOW, day),
            )
