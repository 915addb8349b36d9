"""The training set of a model as a lake's tables have it, and as a training stored it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.label_events import label_events
from features.view import AS_OF
from jobs.event_sources import event_sources
from jobs.job import Context
from training.model import Model
from training.splits import split
from training.training_set import TrainingSet, table_spec, training_set, with_labels


def tables_of(context: Context, model: Model) -> list[str]:
    """The tables a training set is made of: features, and labels of each source."""
    return [model.view.table, *(context.contracts[label.source].table for label in model.labels)]


def slice_of(model: Model, as_of: datetime) -> str:
    """What ``runs`` calls a training."""
    return f"{model.name} as of {as_of:%Y-%m-%dT%H:%M}"


def feature_rows(context: Context, model: Model, tables: Mapping[str, int]) -> DataFrame:
    """The feature rows of every fold of a training.

    Args:
        tables: versions of the tables to read.
    """
    folds = split(context.arguments.as_of, context.config.training.split, model.matures_after)
    rows = context.lake.read(model.view.table, version=tables[model.view.table])
    return rows.where((F.col(AS_OF) >= F.lit(folds.begin)) & (F.col(AS_OF) < F.lit(folds.end)))


def built(context: Context, model: Model, tables: Mapping[str, int], key: str) -> DataFrame:
    """The rows of the training set, in the columns of its table, as those versions of the tables give them."""
    logs = [label.source for label in model.labels]
    return training_set(
        feature_rows(context, model, tables),
        label_events(model.labels, event_sources(context.lake, context.contracts, logs, tables)),
        model.labels,
        context.config.training.test,
        row=model.view.spine.row,
        features=model.view.features,
        run_key=key,
        as_of=context.arguments.as_of,
    )


def store(context: Context, model: Model, tables: Mapping[str, int], key: str) -> TrainingSet:
    """Build the training set and store it under the run's key."""
    spec = table_spec(model.name)
    context.lake.widen(spec)
    context.lake.replace(spec.name, built(context, model, tables, key), where=f"run_key = '{key}'")
    return stored(context, model, key)


def stored(context: Context, model: Model, key: str) -> TrainingSet:
    """The training set that a run stored."""
    settings = context.config.training
    rows = context.lake.read(table_spec(model.name).name).where(F.col("run_key") == key)
    return TrainingSet(
        rows=with_labels(rows, model.labels),
        labels=model.labels,
        testing=settings.test,
        weights=settings.weights,
    )
