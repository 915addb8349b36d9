"""Where a workflow's tables, files and models are when it runs on this machine instead of in a workspace."""

from __future__ import annotations

from pathlib import Path


def local_arguments(home: Path, master: str | None) -> list[str]:
    """Arguments that come after those of databricks.yml, and so over them."""
    places = {
        "lake": f"{{root: '{home / 'lake'}', catalog: null, schema_name: null}}",
        "raw.root": f"'{home / 'raw'}'",
        "mlflow.store": f"'{home / 'mlflow'}'",
        "mlflow.tracking_uri": "null",
        "mlflow.registry_uri": "null",
    }
    if master:
        places["spark.master"] = f"'{master}'"
    return [f"--set={key}={value}" for key, value in places.items()]
