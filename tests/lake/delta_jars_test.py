"""Delta's jars: the coordinate, the switches for closed networks, the error when nothing can be resolved."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from pyspark.sql import SparkSession

from lake.delta_jars import DeltaJars, configuration, coordinate, installed_coordinate
from lake.errors import TrustlakeError

IVY_WITHOUT_REPOSITORIES = """
<ivysettings>
  <settings defaultResolver="empty"/>
  <caches defaultCacheDir="{folder}/cache"/>
  <resolvers>
    <filesystem name="empty"><artifact pattern="{folder}/empty/[artifact]-[revision].[ext]"/></filesystem>
  </resolvers>
</ivysettings>
"""
START_SPARK = """
from jobs.session import SparkSettings, build_session
from lake.errors import TrustlakeError
try:
    build_session(SparkSettings(master="local[1]", delta_jars={"ivy_settings": SETTINGS}, conf=CONF), "test")
except TrustlakeError as error:
    print("told:", error)
"""


def test_the_coordinate_names_the_spark_line_and_the_delta_version() -> None:
    assert coordinate("4.1.0", "4.4.0") == "io.delta:delta-spark_4.1_2.13:4.4.0"


def test_packages_are_asked_for_without_what_spark_ships() -> None:
    conf = configuration(DeltaJars())
    assert conf["spark.jars.packages"] == installed_coordinate()
    assert "org.apache.hadoop:hadoop-client-runtime" in conf["spark.jars.excludes"].split(",")


def test_the_running_spark_got_delta_and_no_second_parquet_or_hadoop(spark: SparkSession) -> None:
    jars = spark.sparkContext.getConf().get("spark.jars", "")
    assert jars is not None
    names = [jar.rsplit("/", maxsplit=1)[-1] for jar in jars.split(",")]
    assert any("delta-spark" in name for name in names)
    assert not [name for name in names if "parquet" in name or "hadoop-client" in name or "jackson" in name]


def test_local_jars_replace_resolution_and_take_globs_and_uris(tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar", "c.txt"):
        (tmp_path / name).touch()
    conf = configuration(DeltaJars(local_jars=f"{tmp_path}/*.jar, s3://bucket/d.jar"))
    assert conf == {"spark.jars": f"{tmp_path}/a.jar,{tmp_path}/b.jar,s3://bucket/d.jar"}


def test_local_jars_that_match_nothing_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        TrustlakeError, match=r"spark\.delta_jars\.local_jars names .*none\*\.jar, and no file"
    ):
        configuration(DeltaJars(local_jars=f"{tmp_path}/none*.jar"))


def test_an_absent_ivy_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrustlakeError, match=r"ivy_settings names .*absent\.xml, which is not a file"):
        configuration(DeltaJars(ivy_settings=str(tmp_path / "absent.xml")))


def test_two_sources_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match="local_jars and ivy_settings are both set; keep one"):
        DeltaJars(local_jars="a.jar", ivy_settings="ivy.xml")


def test_without_network_and_cache_the_error_says_what_to_do(tmp_path: Path) -> None:
    settings = tmp_path / "ivy.xml"
    settings.write_text(IVY_WITHOUT_REPOSITORIES.format(folder=tmp_path), encoding="utf-8")
    program = START_SPARK.replace("SETTINGS", repr(str(settings))).replace(
        "CONF", repr({"spark.jars.ivy": str(tmp_path / "ivy")})
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=environment,
    )
    assert "told: Delta's jars (io.delta:delta-spark_" in done.stdout
    assert "spark.delta_jars.local_jars" in done.stdout
    assert "spark.delta_jars.ivy_settings" in done.stdout
    assert done.stderr == ""
