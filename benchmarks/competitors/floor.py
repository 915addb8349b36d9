"""No competitor but Spark's floor: read, exchange and sort the rows that have to meet, and write as many constants."""

from __future__ import annotations

from pyspark.sql import functions as F

from benchmarks.competitors.spark import session
from benchmarks.question import PARTITIONS, Question


def answer(question: Question) -> None:
    """Write one row per event with constants in the place of features."""
    rows = session().read.parquet(question.events)
    at = F.unix_micros("event_at").alias("time")
    probes = rows.select(
        "key",
        F.lit(0).alias("stream"),
        "event_id",
        at,
        at.alias("known"),
        F.lit(None).cast("long").alias("cents"),
    )
    cents = (F.col("amount") * 100).cast("long").alias("cents")
    events = rows.select(
        "key",
        F.lit(1).alias("stream"),
        F.lit(None).cast("long").alias("event_id"),
        at,
        F.unix_micros("known_at").alias("known"),
        cents,
    )
    met = probes.unionByName(events).repartition(PARTITIONS, "key").sortWithinPartitions("key", "time")
    *_, last = names = question.view.features
    constants = [F.lit(float(n)).alias(name) for n, name in enumerate(names[:-1])]
    # Spark would leave out of the exchange what nobody reads, and whole rows that a filter it can move drops later.
    read = F.when(F.col("known") < 0, F.col("cents")).otherwise(0).cast("double").alias(last)
    is_probe = F.col("stream") == F.floor(F.rand())
    found = met.where(is_probe).select("event_id", "key", "time", *constants, read)
    found.write.mode("overwrite").parquet(question.out)
