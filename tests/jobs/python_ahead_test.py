"""Python is started wherever tasks run, beside what the driver does."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs.python_ahead import python_ahead

GROUP = "python ahead"


def test_every_slot_gets_a_worker_by_the_end_of_the_block(spark: SparkSession) -> None:
    context = spark.sparkContext
    context.setJobGroup(GROUP, "as the job that starts it")
    try:
        with python_ahead(spark):
            pass
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type] # as Spark clears it
    tracker = context.statusTracker()
    (job,) = tracker.getJobIdsForGroup(GROUP)
    found = tracker.getJobInfo(job)
    assert found is not None
    stages = [tracker.getStageInfo(stage) for stage in found.stageIds]
    assert [stage.numCompletedTasks for stage in stages if stage] == [context.defaultParallelism]


def test_an_error_of_the_block_is_its_own(spark: SparkSession) -> None:
    with pytest.raises(ZeroDivisionError), python_ahead(spark):
        _ = 1 / 0
