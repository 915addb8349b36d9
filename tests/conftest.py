"""The one Spark session of a test run, in UTC, and a clean catalogue for each test that uses it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.session import SparkSettings, build_session

os.environ["TZ"] = "UTC"
time.tzset()


@pytest.fixture(scope="session")
def _session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    warehouse: Path = tmp_path_factory.mktemp("warehouse")
    settings = SparkSettings(
        master="local[2]",
        driver_memory="2g",
        conf={"spark.sql.warehouse.dir": str(warehouse), "spark.sql.shuffle.partitions": "2"},
    )
    session = build_session(settings, "tests")
    yield session
    session.stop()


@pytest.fixture
def spark(_session: SparkSession) -> Iterator[SparkSession]:
    """The shared session; nothing that a test caches or names as a view outlives it."""
    yield _session
    _session.catalog.clearCache()
    for table in _session.catalog.listTables():
        if table.isTemporary:
            _session.catalog.dropTempView(table.name)
