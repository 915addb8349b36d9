"""The Spark session of every job: one place for what a session can prevent.

A session is made here in one of three ways: a JVM of our own (a laptop, ``python -m jobs.x``), the JVM that
spark-submit has started, or the session that Databricks or a Spark Connect server provides.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from pydantic import Field, field_validator
from pyspark import SparkConf, SparkContext
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote

from jobs import jvm
from jobs.java import use_java
from lake.delta_jars import CATALOG, EXTENSION, DeltaJars, configuration
from lake.documents import Strict
from lake.errors import TrustlakeError

ZONE = "spark.sql.session.timeZone"
_UTC_JVM = "-Duser.timezone=UTC"
# The default collector works beside the program, for short pauses: a tenth of the processor time on two cores.
_BATCH_JVM = "-XX:+UseParallelGC"
# The JVM's optimising compiler takes two fifths of a job of minutes, and most of what it optimises never pays that
# back: eight times the usual calls and loops before it begins (its defaults are 5,000, 600, 15,000 and 40,000).
_PATIENT_JVM = (
    "-XX:Tier4InvocationThreshold=40000 -XX:Tier4MinInvocationThreshold=4800 "
    "-XX:Tier4CompileThreshold=120000 -XX:Tier4BackEdgeThreshold=320000"
)
# Arrow checks every value it reads against the end of its buffer, a tenth of what a build costs the JVM; Spark only
# asks for rows that a batch has.
_ARROW_JVM = "-Darrow.enable_unsafe_memory_access=true"
_ANY_JVM = f"{_UTC_JVM} {_ARROW_JVM}"

# What a setting adds to instead of replacing it, and what joins the parts.
_JOINED = {
    "spark.jars": ",",
    "spark.jars.packages": ",",
    "spark.jars.excludes": ",",
    "spark.sql.extensions": ",",
    "spark.driver.extraJavaOptions": " ",
    "spark.executor.extraJavaOptions": " ",
}

# The only settings that are also sent to a session made elsewhere.
SESSION = {
    ZONE: "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
    # The number of rows limits a batch for Python; a limit of bytes makes Spark add them up after every row.
    "spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1),
    # Instants as integers, which Parquet keeps statistics of; the default is an older and longer type without.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Delta refuses an older version by the age of its commit: a job could not go on reading an old version of a table
    # that was the latest when it began. Whether the files are still there is what matters.
    "spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration": "false",
}

APPLICATION = {
    **SESSION,
    "spark.sql.extensions": EXTENSION,
    "spark.sql.catalog.spark_catalog": CATALOG,
    # More barrier tasks than slots must fail in seconds; Spark's own defaults wait ten minutes.
    "spark.scheduler.barrier.maxConcurrentTasksCheck.interval": "2s",
    "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures": "2",
    "spark.executor.extraJavaOptions": _ANY_JVM,
    "spark.executorEnv.TZ": "UTC",
    "spark.log.level": "ERROR",
}

# Spark's and Delta's defaults are made for clusters: a small run takes more than twice as long with them.
SMALL_RUN = {
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "1",
    # What opening a file counts as when files are put together for a task: with the default a year of daily logs makes
    # ten tasks, and each generates the code for its rows anew.
    "spark.sql.files.openCostInBytes": "131072",
    # Above this many paths Spark lists them in a job of tiny tasks, here three times as slow as the driver alone.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
    # What every sort and join of a task takes at once. With a heap of 3 GiB Spark makes it 64 MiB, and a plan with a
    # dozen of them fills the heap with zeros.
    "spark.buffer.pageSize": "4m",
    "spark.ui.enabled": "false",
    # What only the pages of the UI show: long texts of plans, a third of the planning time, and a long memory.
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.ui.retainedExecutions": "10",
    "spark.ui.retainedJobs": "50",
    "spark.ui.retainedStages": "50",
    "spark.ui.liveUpdate.period": "-1",
}


class SparkSettings(Strict):
    """How the session is made.

    Attributes:
        master: Spark master; None takes the one of spark-submit, else ``local[*]``.
        delta_jars: where Delta's jars come from.
        conf: further Spark configuration; wins over every default here.
        driver_memory: heap of a JVM that we start ourselves; spark-submit has its own option.
    """

    master: str | None = None
    delta_jars: DeltaJars = Field(default_factory=DeltaJars)
    conf: dict[str, str] = Field(default_factory=dict)
    driver_memory: str = "3g"

    @field_validator("conf")
    @classmethod
    def _only_spark_and_utc(cls, conf: dict[str, str]) -> dict[str, str]:
        foreign = [key for key in conf if not key.startswith("spark.")]
        if foreign:
            raise ValueError(f"{', '.join(foreign)}: Spark's settings begin with spark.")
        if conf.get(ZONE, "UTC") != "UTC":
            raise ValueError(f"{ZONE} is {conf[ZONE]}; every instant here is UTC, leave it out")
        return conf


def build_session(settings: SparkSettings, app_name: str) -> SparkSession:
    """Return the session of this process, made if there is none; a later call returns the same one.

    Raises:
        TrustlakeError: pandas does not fit, no Java was found, or Delta's jars are not to be had.
    """
    prepare_process()
    if os.environ.get("DATABRICKS_RUNTIME_VERSION") or os.environ.get("SPARK_REMOTE"):
        return _adopt(SparkSession.builder.getOrCreate(), settings)
    # PySpark has no public way to ask whether a context lives without making one.
    if SparkContext._active_spark_context is None:  # noqa: SLF001
        _start_context(settings, app_name)
    session = SparkSession.builder.getOrCreate()
    for key, value in SESSION.items():
        session.conf.set(key, settings.conf.get(key, value))
    return session


def prepare_process() -> None:
    """Make the driver process fit: UTC, the same Python on executors, a pandas that Spark 4 can use."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        # They print every error that Python raises anyway, a second time, as one line of 15,000 characters.
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        pandas = version("pandas")
    except PackageNotFoundError as absent:
        raise TrustlakeError("pandas is not installed; run: pip install 'trustlake[local,cpu]'") from absent
    if int(pandas.split(".")[0]) >= 3:  # noqa: PLR2004 - the major version that Spark 4 cannot take
        raise TrustlakeError(
            f"pandas is {pandas}, and Spark 4 fails on pandas 3 data; run: pip install 'pandas>=2.2,<3'"
        )


def is_local(master: str) -> bool:
    """True for masters that live on this machine: local, local[n] and the tests' local-cluster[...]."""
    return master.split("[", maxsplit=1)[0] in {"local", "local-cluster"}


def _adopt(session: SparkSession, settings: SparkSettings) -> SparkSession:
    """Set on a session made elsewhere what it lets a session set; Connect knows no way but Arrow, and warns if told."""
    wanted = {**SESSION, **settings.conf}
    for key, value in wanted.items():
        if is_remote() and key.startswith("spark.sql.execution.arrow.pyspark."):
            continue
        if key == ZONE or session.conf.isModifiable(key):
            session.conf.set(key, value)
    return session


def _start_context(settings: SparkSettings, app_name: str) -> None:
    # When spark-submit or an earlier session started the JVM, its class path and heap are settled.
    started = jvm.is_started()
    given = dict(SparkConf().getAll())
    master = settings.master or given.get("spark.master", "local[*]")
    wanted = dict(APPLICATION)
    if is_local(master):
        wanted |= SMALL_RUN | {"spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower()}
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    if not started:
        options = _driver_options(master, given, settings.conf)
        wanted |= {"spark.driver.memory": settings.driver_memory, "spark.driver.extraJavaOptions": options}
        wanted = joined(wanted, configuration(settings.delta_jars))
    # What the command line says stays; what the settings say is added or wins.
    chosen = joined(joined(wanted, given), settings.conf)
    conf = SparkConf(loadDefaults=False)
    for key, value in chosen.items():
        conf.set(key, value)
    conf.setMaster(master).setAppName(app_name)
    if started:
        SparkContext(conf=conf)
    else:
        use_java()
        jvm.start_context(conf, settings.delta_jars)
    # A context that is only dropped at exit leaves executors behind that complain while they are torn down.
    atexit.register(SparkContext.getOrCreate().stop)
    jvm.require_delta()


def _driver_options(master: str, *confs: Mapping[str, str]) -> str:
    """The options of a JVM that we start, under those that ``confs`` have."""
    options = [_ANY_JVM]
    if is_local(master):
        options.append(_PATIENT_JVM)
        if not _names_collector(*confs):
            options.append(_BATCH_JVM)
    return " ".join(options)


def _names_collector(*confs: Mapping[str, str]) -> bool:
    """True where the JVM's options choose a garbage collector: a second one would keep it from starting."""
    options = " ".join(conf.get("spark.driver.extraJavaOptions", "") for conf in confs)
    return re.search(r"-XX:\+Use\w+GC\b", options) is not None


def joined(under: dict[str, str], over: dict[str, str]) -> dict[str, str]:
    """Return ``under`` with ``over`` on top; lists (jars, packages, Java options) keep both, once."""
    result = dict(under)
    for key, value in over.items():
        separator = _JOINED.get(key)
        if separator is None or not result.get(key):
            result[key] = value
        else:
            parts = result[key].split(separator) + value.split(separator)
            result[key] = separator.join(dict.fromkeys(part for part in parts if part))
    return result
