"""Settings of the session for a few statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import SparkSession

# What a statement's commit carries; a writer has an option for it.
USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# For plans over few rows: the code that Spark generates for each is compiled longer than it then runs.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
# Of VACUUM, which would start ten thousand for one folder.
FEW_LIST_TASKS = {"spark.sql.sources.parallelPartitionDiscovery.parallelism": "4"}


@contextmanager
def session_settings(spark: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """The settings for the body, where the platform lets a session have them."""
    before = {key: spark.conf.get(key, None) for key in settings if spark.conf.isModifiable(key)}
    try:
        for key in before:
            spark.conf.set(key, settings[key])
        yield
    finally:
        for key, value in before.items():
            if value is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, value)
