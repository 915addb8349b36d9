"""What the session guarantees, and what it leaves to spark-submit and Databricks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pydantic import ValidationError
from pyspark.sql import SparkSession

from jobs import session
from jobs.session import SparkSettings, build_session, is_local, joined
from lake.delta_jars import CATALOG, EXTENSION
from lake.errors import TrustlakeError

SUBMITTED = """
from jobs.session import SparkSettings, build_session
spark = build_session(SparkSettings(conf={"spark.sql.shuffle.partitions": "3"}), "test")
conf = spark.sparkContext.getConf()
print("master:", spark.sparkContext.master)
print("extensions:", conf.get("spark.sql.extensions"))
print("settings:", spark.conf.get("spark.sql.shuffle.partitions"), conf.get("spark.ui.enabled"))
print("zone:", spark.conf.get("spark.sql.session.timeZone"))
"""
SUBMITTED_WITHOUT_DELTA = """
from jobs.session import SparkSettings, build_session
from lake.errors import TrustlakeError
try:
    build_session(SparkSettings(), "test")
except TrustlakeError as error:
    print("told:", error)
"""


def test_every_session_has_delta_utc_and_no_slow_arrow_fallback(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.extensions") == EXTENSION
    assert spark.conf.get("spark.sql.catalog.spark_catalog") == CATALOG
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.execution.arrow.pyspark.fallback.enabled") == "false"
    assert os.environ["TZ"] == "UTC"
    assert time.tzname == ("UTC", "UTC")


def test_instants_come_back_as_they_were_written(spark: SparkSession) -> None:
    row = spark.sql("SELECT timestamp_seconds(0) AS first_at").collect()[0]
    assert row.first_at.replace(tzinfo=UTC) == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_barrier_wider_than_the_slots_fails_in_seconds_and_not_in_ten_minutes(spark: SparkSession) -> None:
    started = time.monotonic()
    wide = spark.range(100, numPartitions=8).mapInArrow(lambda batches: batches, "id long", barrier=True)
    with pytest.raises(Py4JJavaError, match="SPARK-24819"):
        wide.collect()
    assert time.monotonic() - started < 60


def test_a_second_call_returns_the_same_session(spark: SparkSession) -> None:
    assert build_session(SparkSettings(), "another name").sparkContext is spark.sparkContext


def test_executors_run_this_python(spark: SparkSession) -> None:
    assert spark.sparkContext.pythonExec == os.environ["PYSPARK_PYTHON"]


def test_pandas_3_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "version", lambda _: "3.1.1")
    with pytest.raises(TrustlakeError, match=r"pandas is 3\.1\.1.*pip install 'pandas>=2\.2,<3'"):
        build_session(SparkSettings(), "test")


def test_absent_pandas_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(session, "version", absent)
    with pytest.raises(TrustlakeError, match="pandas is not installed"):
        build_session(SparkSettings(), "test")


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ({"sql.shuffle.partitions": "4"}, "Spark's settings begin with spark"),
        ({"spark.sql.session.timeZone": "Europe/Paris"}, "every instant here is UTC"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(conf: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SparkSettings(conf=conf)


@pytest.mark.parametrize(
    ("master", "expected"),
    [("local", True), ("local[*]", True), ("local-cluster[2,1,1024]", True), ("spark://local:7077", False)],
)
def test_only_masters_on_this_machine_are_local(master: str, *, expected: bool) -> None:
    assert is_local(master) is expected


def test_lists_keep_both_sides_once_and_other_settings_are_replaced() -> None:
    under = {
        "spark.sql.extensions": "a",
        "spark.executor.extraJavaOptions": "-Dx=1",
        "spark.ui.enabled": "false",
    }
    over = {
        "spark.sql.extensions": "b,a",
        "spark.executor.extraJavaOptions": "-Dy=2",
        "spark.ui.enabled": "true",
    }
    assert joined(under, over) == {
        "spark.sql.extensions": "a,b",
        "spark.executor.extraJavaOptions": "-Dx=1 -Dy=2",
        "spark.ui.enabled": "true",
    }


def test_a_session_of_databricks_is_adopted_with_session_settings_only(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    heap = spark.sparkContext.getConf().get("spark.driver.memory")
    settings = SparkSettings(
        driver_memory="7g", conf={"spark.driver.memory": "8g", "spark.sql.ansi.enabled": "true"}
    )
    adopted = build_session(settings, "test")
    assert adopted.sparkContext.getConf().get("spark.driver.memory") == heap
    assert adopted.conf.get("spark.driver.memory", "unset") in {heap, "unset"}


def submit(program: str, folder: Path, *options: str) -> str:
    """Run ``program`` under spark-submit; returns what it printed."""
    script = folder / "program.py"
    script.write_text(program, encoding="utf-8")
    spark_submit = Path(metadata.distribution("pyspark").locate_file("pyspark")) / "bin" / "spark-submit"  # type: ignore[arg-type] # a path-like
    command = [str(spark_submit), "--driver-memory", "1g", *options, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PYSPARK_PYTHON": sys.executable}
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=300, env=environment
    ).stdout


def test_spark_submits_master_and_packages_stay(spark: SparkSession, tmp_path: Path) -> None:
    jars = spark.sparkContext.getConf().get("spark.jars", "") or ""
    said = submit(SUBMITTED, tmp_path, "--master", "local[1]", "--jars", jars)
    assert "master: local[1]" in said
    assert f"extensions: {EXTENSION}" in said
    assert "settings: 3 false" in said
    assert "zone: UTC" in said


def test_spark_submit_without_delta_is_told_what_to_add(tmp_path: Path) -> None:
    said = submit(SUBMITTED_WITHOUT_DELTA, tmp_path, "--master", "local[1]")
    assert (
        "told: the running Spark has no Delta: start it with spark-submit --packages io.delta:delta-spark_"
        in said
    )


def test_a_collector_of_the_users_own_is_the_only_one(spark: SparkSession) -> None:
    jars = spark.sparkContext.getConf().get("spark.jars", "") or ""
    conf = {"spark.driver.extraJavaOptions": "-XX:+UseSerialGC -Dx=1", "spark.jars": jars}
    program = (
        "from jobs.session import SparkSettings, build_session\n"
        f"spark = build_session(SparkSettings(master='local[1]', driver_memory='1g', conf={conf!r}), 'test')\n"
        "print('options:', spark.sparkContext.getConf().get('spark.driver.extraJavaOptions'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout.endswith(" -XX:+UseSerialGC -Dx=1\n"), done.stderr
