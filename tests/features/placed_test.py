"""Where the rows of an exchange go: a key and section to one task, the sections of hot keys apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from features.windows.block import KEY, SECTION
from features.windows.hot_keys import HotKey
from features.windows.placed import placed

Place = tuple[str | int | None, int]


def tasks_of(
    spark: SparkSession, rows: Sequence[Place], hot: Sequence[HotKey], tasks: int | None
) -> dict[Place, set[int]]:
    """The tasks that have the rows of each key and section."""
    kind = "long" if any(isinstance(key, int) for key, _ in rows) else "string"
    made = [(key, section, f"row {number}") for number, (key, section) in enumerate(rows)]
    frame = spark.createDataFrame(made, f"{KEY} {kind}, {SECTION} int, row string").repartition(3)
    found: dict[Place, set[int]] = defaultdict(set)
    for row in placed(frame, F.col("row"), hot, tasks).withColumn("task", F.spark_partition_id()).collect():
        found[row[KEY], row[SECTION]].add(row["task"])
    assert set(found) == set(rows)
    return found


def hot(key: str | int, sections: int) -> HotKey:
    return HotKey(key=key, cuts=tuple(range(1, sections)), chunks={})


@pytest.mark.parametrize("keys", [("a", "b"), (11, 12)], ids=["text", "number"])
def test_sections_of_hot_keys_have_tasks_of_their_own(
    spark: SparkSession, keys: tuple[str | int, str | int]
) -> None:
    """Twenty sections in forty tasks, placed by chance, would meet."""
    one, other = keys
    cold: Place = ("c" if isinstance(one, str) else 13, 0)
    sections: list[Place] = [
        *((one, number) for number in range(12)),
        *((other, number) for number in range(8)),
    ]
    found = tasks_of(spark, 3 * [*sections, cold], [hot(one, 12), hot(other, 8)], 40)
    assert all(len(tasks) == 1 for tasks in found.values())
    assert {task for place in sections for task in found[place]} == set(range(20, 40))


def test_more_sections_than_tasks_are_shared_out_evenly(spark: SparkSession) -> None:
    sections: list[Place] = [("a", number) for number in range(12)]
    found = tasks_of(spark, 2 * sections, [hot("a", 12)], 5)
    per_task = [sum(1 for tasks in found.values() if tasks == {task}) for task in range(5)]
    assert sorted(per_task) == [2, 2, 2, 3, 3]


@pytest.mark.parametrize("tasks", [None, 4])
def test_rows_of_a_key_meet_and_rows_without_one_do_not(spark: SparkSession, tasks: int | None) -> None:
    rows: list[Place] = [(None, 0)] * 100 + [("a", 0), ("b", 0), ("b", 1)] * 5
    for keys in (list[HotKey](), [hot("b", 2)]):
        found = tasks_of(spark, rows, keys, tasks)
        # Left to itself, Spark puts so few rows into one task.
        assert len(found.pop((None, 0))) > (0 if tasks is None else 1)
        assert all(len(apart) == 1 for apart in found.values())


def test_a_hot_key_that_no_row_has_harms_nobody(spark: SparkSession) -> None:
    found = tasks_of(spark, [("a", 0), ("a", 0)], [hot("elsewhere", 3)], 4)
    assert len(found["a", 0]) == 1
