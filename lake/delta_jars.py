"""Delta's jars: the coordinate that fits the installed Spark, and where a closed network takes them from.

Spark itself resolves the coordinate when its JVM starts. What Spark already ships is excluded, so that no
second version of Parquet, Hadoop or Jackson reaches an executor: about 15 MB instead of 87.
"""

from __future__ import annotations

from glob import glob
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, model_validator

from lake.documents import LocatedText, PathText, Strict
from lake.errors import TrustlakeError

SCALA = "2.13"
EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"

# Every artefact that Delta asks for and Spark 4 ships. Ivy takes no wildcard here: names go one by one.
SHIPPED_WITH_SPARK = (
    "com.fasterxml.jackson.core:jackson-annotations",
    "com.fasterxml.jackson.core:jackson-core",
    "com.fasterxml.jackson.core:jackson-databind",
    "com.fasterxml.jackson.datatype:jackson-datatype-jdk8",
    "com.fasterxml.jackson.datatype:jackson-datatype-jsr310",
    "com.github.luben:zstd-jni",
    "com.google.code.findbugs:jsr305",
    "commons-logging:commons-logging",
    "commons-pool:commons-pool",
    "io.airlift:aircompressor",
    "javax.annotation:javax.annotation-api",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.logging.log4j:log4j-api",
    "org.apache.logging.log4j:log4j-core",
    "org.apache.logging.log4j:log4j-slf4j2-impl",
    "org.apache.parquet:parquet-column",
    "org.apache.parquet:parquet-common",
    "org.apache.parquet:parquet-encoding",
    "org.apache.parquet:parquet-format-structures",
    "org.apache.parquet:parquet-hadoop",
    "org.apache.parquet:parquet-jackson",
    "org.slf4j:slf4j-api",
    "org.xerial.snappy:snappy-java",
)


def _absolute(value: object) -> object:
    """Make the entries of a comma list absolute, relative to the file that holds it, but for URIs."""
    if not isinstance(value, str):
        return value
    folder = value.folder if isinstance(value, LocatedText) else Path.cwd()
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    return ",".join(entry if "://" in entry else str(folder / Path(entry).expanduser()) for entry in entries)


class DeltaJars(Strict):
    """Where Delta's jars come from; nothing set means Spark's own resolution from Maven Central.

    Attributes:
        local_jars: jar files, comma separated; each entry may be a glob or a URI. Nothing is resolved then.
        ivy_settings: an Ivy settings file naming the repositories to resolve from.
    """

    local_jars: Annotated[str, BeforeValidator(_absolute)] | None = None
    ivy_settings: PathText | None = None

    @model_validator(mode="after")
    def _one_source(self) -> DeltaJars:
        if self.local_jars is not None and self.ivy_settings is not None:
            raise ValueError("local_jars and ivy_settings are both set; keep one")
        return self


def coordinate(spark_version: str, delta_version: str) -> str:
    """Maven coordinate of Delta for one Spark line: Delta builds a jar for each Spark major.minor."""
    line = ".".join(spark_version.split(".")[:2])
    return f"io.delta:delta-spark_{line}_{SCALA}:{delta_version}"


def installed_coordinate() -> str:
    """Coordinate that fits the installed pyspark and delta-spark.

    Raises:
        TrustlakeError: one of the two is not installed.
    """
    try:
        return coordinate(version("pyspark"), version("delta-spark"))
    except PackageNotFoundError as absent:
        raise TrustlakeError(
            f"{absent.name} is not installed; run: pip install 'trustlake[local,cpu]'"
        ) from absent


def configuration(jars: DeltaJars) -> dict[str, str]:
    """Spark configuration that brings Delta's jars into a JVM that is about to start.

    Raises:
        TrustlakeError: a local jar, the Ivy settings file, pyspark or delta-spark is not there.
    """
    if jars.local_jars is not None:
        return {"spark.jars": ",".join(_local_files(jars.local_jars))}
    found = {
        "spark.jars.packages": installed_coordinate(),
        "spark.jars.excludes": ",".join(SHIPPED_WITH_SPARK),
    }
    if jars.ivy_settings is not None:
        if not Path(jars.ivy_settings).is_file():
            named = f"spark.delta_jars.ivy_settings names {jars.ivy_settings}"
            raise TrustlakeError(f"{named}, which is not a file; correct the path")
        found["spark.jars.ivySettings"] = jars.ivy_settings
    return found


def unresolved(jars: DeltaJars) -> TrustlakeError:
    """The error for a JVM that ended because the jars could not be resolved."""
    tried = f"the repositories of {jars.ivy_settings}" if jars.ivy_settings else "Maven Central"
    return TrustlakeError(
        f"Delta's jars ({installed_coordinate()}) are neither in the Ivy cache nor to be had from {tried}. "
        "Start once with a network, or set spark.delta_jars.local_jars to the jar files, "
        "or set spark.delta_jars.ivy_settings to an Ivy settings file that names your own repository"
    )


def _local_files(entries: str) -> list[str]:
    files: list[str] = []
    for entry in entries.split(","):
        # Path.glob refuses absolute patterns.
        matches = [entry] if "://" in entry else sorted(glob(entry))  # noqa: PTH207
        if not matches:
            raise TrustlakeError(
                f"spark.delta_jars.local_jars names {entry}, and no file matches it; correct the path"
            )
        files += matches
    return files
