"""What a run's page says of the table that a model was trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from pyspark.sql import SparkSession

from training.stored_table import StoredTable


def test_a_run_names_the_version_of_its_table_and_counts_none_of_its_rows(
    spark: SparkSession, store: Any, tmp_path: Path
) -> None:
    for rows in (3, 5):
        spark.range(rows).write.format("delta").mode("overwrite").save(str(tmp_path / "training_m"))
    tracker = spark.sparkContext.statusTracker()
    before = set(tracker.getJobIdsForGroup(None))
    with mlflow.start_run(experiment_id=store.experiment_id) as run:
        mlflow.log_input(
            StoredTable("training_m", 0, root=str(tmp_path), place="training_m"), context="training"
        )
    assert set(tracker.getJobIdsForGroup(None)) == before
    inputs = MlflowClient().get_run(run.info.run_id).inputs
    assert inputs is not None
    (logged,) = inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.source_type) == ("training_m", "delta_table")
    assert json.loads(logged.dataset.source)["path"] == str(tmp_path / "training_m")
    assert mlflow.data.get_source(logged.dataset).load().count() == 3
