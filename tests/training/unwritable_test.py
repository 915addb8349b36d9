"""A disk that takes nothing more, as a model is logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from lake.errors import TrustlakeError
from training.unwritable import writing_to_mlflow


@pytest.mark.parametrize("place", ["/dev/full", "file"])
def test_a_model_that_cannot_be_logged_says_why_and_what_is_kept(
    store: Any, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    artifacts = f"file://{tmp_path / place}/artifacts"
    experiment = MlflowClient(store.uri).create_experiment(
        f"on {tmp_path / place}", artifact_location=artifacts
    )
    with (
        mlflow.start_run(experiment_id=experiment),
        pytest.raises(TrustlakeError, match="its trials are kept") as told,
        writing_to_mlflow("the model", "its trials are kept"),
    ):
        mlflow.log_text("a booster", "model/booster.ubj")
    assert str(told.value).startswith("the model cannot be written to MLflow: [Errno 20] Not a directory")
    assert "\n" not in str(told.value)
