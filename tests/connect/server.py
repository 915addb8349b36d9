"""A Spark Connect server with Delta: prints a line when it serves, and ends when its input does."""

from __future__ import annotations

import os
import sys

from jobs.session import SparkSettings, build_session
from lake.session_settings import INTERPRETED


def main(port: str, worker: str, warehouse: str) -> None:
    """Serve at a port, with the program ``worker`` as the Python of executors."""
    os.environ["PYSPARK_PYTHON"] = worker
    conf = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.port": port,
        "spark.sql.artifact.isolation.enabled": "true",
        "spark.sql.warehouse.dir": warehouse,
        "spark.sql.shuffle.partitions": "2",
        **INTERPRETED,
    }
    build_session(SparkSettings(master="local[2]", driver_memory="3g", conf=conf), "connect")
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
