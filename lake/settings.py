"""Where the lake is: a folder of Delta tables, or a schema of Unity Catalog."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from lake.documents import PathText, Strict


class LakeSettings(Strict):
    """Either ``root`` (a local folder or a URI), or ``catalog`` and ``schema``."""

    root: PathText | None = None
    catalog: str | None = None
    schema_name: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> LakeSettings:
        named = self.catalog is not None and self.schema_name is not None
        partly = (self.catalog is None) != (self.schema_name is None)
        if partly or named == (self.root is not None):
            raise ValueError("give either root, or catalog and schema_name")
        return self


class RawSettings(Strict):
    """Where producers deliver raw files, and how they are ingested.

    Attributes:
        root: the folder above those of the logs.
        days_per_batch: how many days of delivery of a log are one batch.
        logs_at_once: how many logs are worked on at the same time; the batches of one follow each other.
    """

    root: PathText
    days_per_batch: Annotated[int, Field(ge=1)] = 31
    logs_at_once: Annotated[int, Field(ge=1)] = 2
