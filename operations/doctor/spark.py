"""Checks that need a running Spark: Delta's jars resolve, executors have the packages, slots suffice."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lake.errors import TrustlakeError
from operations.doctor.finding import Finding

if TYPE_CHECKING:
    # The doctor must also speak where pyspark is missing.
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from jobs.session import SparkSettings

NEEDED = ("numpy", "pandas", "pyarrow", "pydantic", "xgboost")


def check_spark(settings: SparkSettings, workers: int | None) -> list[Finding]:
    """Start the session that jobs would start, and look at it; one finding where it does not start.

    Args:
        settings: how jobs make their session.
        workers: tasks that distributed training starts at once; None when nothing says.
    """
    from jobs.session import build_session

    try:
        spark = build_session(settings, "trustlake doctor")
    except TrustlakeError as error:
        found, _, advice = str(error).partition(". ")
        return [Finding.fail("delta jars", found, advice)]
    return [
        Finding.ok("delta jars", "resolved, and loaded by Spark"),
        check_executors(spark),
        check_slots(spark.sparkContext.defaultParallelism, workers),
    ]


def check_executors(spark: SparkSession) -> Finding:
    """Executors run the driver's Python version and find the packages that tasks import."""
    ours = platform.python_version()
    theirs, absent = spark.range(1).mapInArrow(_look_around, "python string, absent string").collect()[0]
    check = "executors"
    if absent:
        return Finding.fail(
            check, f"Python {theirs} there lacks {absent}", "install trustlake[local,cpu] there"
        )
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        return Finding.fail(
            check,
            f"Python {theirs} there, {ours} here",
            "set PYSPARK_PYTHON to the same Python on every machine",
        )
    return Finding.ok(check, f"Python {theirs} with {', '.join(NEEDED)}")


def check_slots(slots: int, workers: int | None) -> Finding:
    """As many tasks can run at once as distributed training starts."""
    check = "slots"
    if workers is None:
        return Finding.ok(check, f"{slots} tasks at once; no number of training workers to compare with")
    if workers > slots:
        return Finding.fail(
            check,
            f"{slots} tasks at once, and {workers} training workers, which must run together",
            f"set the number of workers to at most {slots}, or give Spark more cores",
        )
    return Finding.ok(check, f"{slots} tasks at once for {workers} training workers")


def _look_around(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    absent = [name for name in NEEDED if find_spec(name) is None]
    for _ in batches:
        yield pa.RecordBatch.from_pydict(
            {"python": [platform.python_version()], "absent": [", ".join(absent)]}
        )
