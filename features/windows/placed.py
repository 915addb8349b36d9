"""Which task a row of the exchange goes to: a key's rows together, and the sections of hot keys one to a task.

A section is about as much work as all else that a task has. Where chance places them, a task has three.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from features.windows.block import KEY, SECTION
from features.windows.hot_keys import HotKey

# So many numbers for each task that none is left without one (but for one in millions).
_TRIED = 24


def placed(rows: DataFrame, row: Column, hot: Sequence[HotKey], tasks: int | None) -> DataFrame:
    """The rows where they meet: those with one key and one section in one task.

    Args:
        rows: as they are exchanged; with sections if any key is hot.
        row: tells rows without a key apart.
        hot: keys that are cut into sections.
        tasks: how many tasks share the rows. None leaves it to Spark, which places sections by chance.
    """
    # Rows without a key meet nobody; together they would make one large task.
    by_chance = F.xxhash64(row)
    alone = F.col(KEY).isNull()
    section = F.col(SECTION) if SECTION in rows.columns else F.lit(0)
    if tasks is None:
        return rows.repartition(F.col(KEY), F.when(alone, by_chance).otherwise(section))
    if not hot:
        return rows.repartition(tasks, F.col(KEY), F.when(alone, by_chance).otherwise(F.lit(0)))
    is_hot = F.col(KEY).isin([key.key for key in hot])
    home = _home(rows.sparkSession, hot, tasks)
    return rows.repartition(
        tasks,
        F.when(is_hot, F.lit(None)).otherwise(F.col(KEY)),
        F.when(alone, by_chance).when(is_hot, home).otherwise(F.lit(0)),
    )


def _home(spark: SparkSession, hot: Sequence[HotKey], tasks: int) -> Column:
    """A number for a section of a hot key, whose hash is a task of its own as long as there is one.

    The last tasks come first: those that start a stage also start Python and compile what all others run.
    """
    leads_to = _leading_to(spark, tasks)
    first: list[Column] = []
    sections = 0
    for key in hot:
        first += [F.lit(key.key), F.lit(sections)]
        sections += len(key.cuts) + 1
    homes = [leads_to.get(tasks - 1 - number % tasks, number) for number in range(sections)]
    number = F.element_at(F.create_map(*first), F.col(KEY)) + F.col(SECTION)
    return F.element_at(F.array(*(F.lit(home).cast("long") for home in homes)), number + 1)


def _leading_to(spark: SparkSession, tasks: int) -> dict[int, int]:
    """For each task a number that Spark's partitioning by hash sends there."""
    numbers = spark.createDataFrame([(number,) for number in range(tasks * _TRIED)], "number long")
    found = numbers.select("number", F.pmod(F.hash("number"), F.lit(tasks)).alias("task")).collect()
    return {row["task"]: row["number"] for row in found}
