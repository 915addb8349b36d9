"""One tiny marketplace for all tests of this folder, which only read it."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from simulation.marketplace import write_logs
from tests.simulation.raw_lines import TINY, Run


@pytest.fixture(scope="session")
def run(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("tiny") / "raw"
    return Run(root, {log.log: log for log in write_logs(_session, TINY, str(root))})
