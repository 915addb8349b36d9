"""A version of a Delta table, as the page of a run names it."""

from __future__ import annotations

from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.data.meta_dataset import MetaDataset


class StoredTable(MetaDataset):
    """A dataset of MLflow that looks at no row: its own for Spark count them in a job that brings all to Python.

    Args:
        root: the folder that holds the tables; None where a catalog does.
        place: the table's name in the catalog.
    """

    def __init__(self, name: str, version: int, *, root: str | None, place: str) -> None:
        source = DeltaDatasetSource(
            path=None if root is None else f"{root}/{name}",
            delta_table_name=place if root is None else None,
            delta_table_version=str(version),  # type: ignore[arg-type]  # MLflow leaves out a version that is 0
        )
        super().__init__(source, name=name)

    @property
    def profile(self) -> None:
        return None
