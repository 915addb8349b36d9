"""One lake for each module of tests: tables of different names do not disturb each other."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from lake.settings import LakeSettings
from lake.tables import CommitStamp, Lake


@pytest.fixture(scope="module")
def lake(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake in a folder of its own, written by ``run-1``."""
    root = str(tmp_path_factory.mktemp("lake"))
    return Lake(
        _session, LakeSettings(root=root), CommitStamp(run_id="run-1", code_version="c1", config_hash="h1")
    )
