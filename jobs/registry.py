"""The registry and the MLflow client that the configuration names."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from jobs.configuration import MlflowSettings
from jobs.job import Context
from training.model import Model
from training.registry import ModelRegistry


def connect(settings: MlflowSettings) -> MlflowClient:
    """Point MLflow at the configured store, which is made where it is a local folder that is absent."""
    if settings.store:
        Path(settings.store).mkdir(parents=True, exist_ok=True)
    # MLflow would draw a bar for every file of a few kilobytes, and print two lines for every trial.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    # It logs, with a traceback, what it raises as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    mlflow.set_tracking_uri(settings.tracking)
    mlflow.set_registry_uri(settings.registry_uri or settings.tracking)
    return MlflowClient(settings.tracking, settings.registry_uri)


def registry_of(context: Context, model: Model, name: str | None = None) -> ModelRegistry:
    """The registered versions of a declared model, or those of another name in the same registry."""
    settings = context.config.mlflow
    connect(settings)
    return ModelRegistry(
        name or settings.registered_model or f"{settings.registry_schema}.{model.name}",
        tracking_uri=settings.tracking,
        registry_uri=settings.registry_uri,
    )


def experiment_id(client: MlflowClient, settings: MlflowSettings) -> str:
    """The id of the configured experiment, which is created where it is absent."""
    found = client.get_experiment_by_name(settings.experiment)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(settings.experiment, artifact_location=settings.artifacts))
