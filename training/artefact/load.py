"""Read a registered model for scoring on executors: plain files, nothing unpickled, no model code run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow

from lake.errors import SchemaError
from training.artefact.contract import FILE, ModelContract
from training.artefact.log import BOOSTER_FILE


def load_booster(model_uri: str) -> tuple[bytes, ModelContract]:
    """Return the booster in XGBoost's UBJ format and its contract.

    Args:
        model_uri: ``models:/catalog.schema.name/3``, ``models:/<model id>``, ``runs:/...`` or a folder.
            Resolve an alias to a version first, so that one scoring run uses one model.

    Raises:
        SchemaError: the model was not logged by this platform.
    """
    with TemporaryDirectory() as folder:
        root = Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri, dst_path=folder))
        booster, contract = root / "artifacts" / BOOSTER_FILE, root / "artifacts" / FILE
        if not (booster.is_file() and contract.is_file()):
            raise SchemaError(
                f"{model_uri} holds no {BOOSTER_FILE} and {FILE}, so train_model did not log it; "
                "register a model that it logged"
            )
        return booster.read_bytes(), ModelContract.from_json(contract.read_bytes())
