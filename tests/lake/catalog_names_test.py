"""The same lake by catalogue names, as in Unity Catalog: every operation that a job uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from lake.described import described
from lake.settings import LakeSettings
from lake.tables import CommitStamp, Lake, TableSpec

SPEC = TableSpec("payments", "One row per payment", described("id string: Id", "cents long: Amount"))


@pytest.fixture
def lake(spark: SparkSession) -> Iterator[Lake]:
    spark.sql("CREATE SCHEMA spark_catalog.fraud_by_name")
    settings = LakeSettings(catalog="spark_catalog", schema_name="fraud_by_name")
    yield Lake(spark, settings, CommitStamp(run_id="r1", code_version="c1", config_hash="h1"))
    spark.sql("DROP SCHEMA spark_catalog.fraud_by_name CASCADE")


def test_a_lake_of_names_reads_writes_and_travels_in_time(lake: Lake) -> None:
    assert not lake.exists("payments")
    assert lake.version("payments") is None
    lake.ensure(SPEC)
    lake.ensure(SPEC)
    rows = lake.spark.createDataFrame([("a", 1), ("b", 2)], SPEC.schema)
    lake.append("payments", rows, once="batch-1")
    lake.append("payments", rows, once="batch-1")
    lake.replace("payments", lake.spark.createDataFrame([("a", 7)], SPEC.schema), where="id = 'a'")
    assert sorted(tuple(row) for row in lake.read("payments").collect()) == [("a", 7), ("b", 2)]
    assert lake.version("payments") == 2
    assert lake.names() == ["payments"]
    assert sorted(tuple(row) for row in lake.read("payments", version=1).collect()) == [("a", 1), ("b", 2)]
    assert lake.place("payments") == "spark_catalog.fraud_by_name.payments"
