"""The one Spark session of a test process, in UTC, and projects for tests."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote

from jobs.session import SparkSettings, build_session
from lake.hash_key import VARIABLE
from lake.session_settings import INTERPRETED
from scripts.build_zip import package_files, write
from tests.project import Project, project_in

os.environ["TZ"] = "UTC"
time.tzset()
os.environ[VARIABLE] = "a key that tests share"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take minutes: one that begins last keeps one process at work and the other not."""
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)


@pytest.fixture(scope="session")
def _session(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[SparkSession]:
    conf = {
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.sql.shuffle.partitions": "2",
        # Delta keeps 3 MB of every table that was read within the hour, and a run of the tests makes hundreds.
        "spark.databricks.delta.delta.log.cacheSize": "64",
    }
    # On small frames Spark takes a fifth of its time to compile code for its plans; the long series and the demo do.
    if pytestconfig.option.markexpr != "slow":
        conf |= INTERPRETED
    settings = SparkSettings(master="local[2]", driver_memory="3g", conf=conf)
    # Processes that fill an empty Ivy cache with Delta's jars at the same time spoil it for each other.
    with (tmp_path_factory.getbasetemp().parent / "session.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        session = build_session(settings, "tests")
    if is_remote():
        code = tmp_path_factory.mktemp("code") / "trustlake.zip"
        write(code, package_files())
        session.addArtifacts(str(code), pyfile=True)
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


@pytest.fixture(scope="module")
def shared_project(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the tests of a module that do not disturb each other."""
    return project_in(tmp_path_factory.mktemp("project"), _session)


@pytest.fixture
def project(spark: SparkSession, tmp_path: Path) -> Project:
    """A project of its own."""
    return project_in(tmp_path, spark)
