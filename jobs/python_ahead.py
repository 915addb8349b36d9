"""Python workers that wait for a build's first tasks: started, and with the engine imported, while the driver plans."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

from features.windows.kernel import ready

# By default Spark makes as many tasks of them as it has slots.
_ROWS = 10_000


@contextmanager
def python_ahead(spark: SparkSession) -> Iterator[None]:
    """Start Python wherever tasks run, beside the work of the block, which ends no sooner.

    Else a stage's first tasks take several times as long as its others. Spark stops workers after an idle minute.
    """
    with ThreadPoolExecutor(1) as pool:
        # In its own thread it has the tags and the description of the job that started it.
        started = pool.submit(inheritable_thread_target(spark)(_start), spark)
        yield
        started.result()


def _start(spark: SparkSession) -> None:
    spark.range(_ROWS).mapInArrow(ready, "id long").write.format("noop").mode("append").save()
