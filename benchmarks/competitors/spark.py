"""The session that every competitor on Spark gets: that of the platform on this machine, with 64 partitions."""

from __future__ import annotations

import os

from pyspark.sql import SparkSession

from benchmarks.question import PARTITIONS
from jobs.session import SparkSettings, build_session

EVENT_LOGS = "TRUSTLAKE_EVENT_LOGS"


def session(**conf: str) -> SparkSession:
    """A session with further settings."""
    fixed = {
        "spark.sql.shuffle.partitions": str(PARTITIONS),
        # Partitions stay as they are, so that tasks can be compared.
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{os.environ[EVENT_LOGS]}",
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
    }
    return build_session(SparkSettings(master="local[2]", driver_memory="4g", conf=fixed | conf), "benchmark")
