"""A join of each event with those of its key, a filter and a group: what feature stores generate."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from benchmarks.competitors.spark import session
from benchmarks.question import WINDOWS, Question


def answer(question: Question) -> None:
    """Conditional aggregates over all pairs within the longest window."""
    rows = session().read.parquet(question.events).withColumn("at", F.unix_micros("event_at"))
    probes = rows.select("event_id", "key", F.col("at").alias("as_of"))
    known = F.unix_micros("known_at").alias("known")
    events = rows.select(F.col("key").alias("of"), "at", known, "amount", "device")
    longest = max(window.micros or 0 for window in WINDOWS)
    meets = (
        (F.col("key") == F.col("of"))
        & (F.col("at") < F.col("as_of"))
        & (F.col("at") >= F.col("as_of") - longest)
    )
    features = [
        column for window in WINDOWS for column in _features(window.label, window.micros or 0, question)
    ]
    paired = probes.join(events, on=meets & (F.col("known") < F.col("as_of")), how="left")
    paired.groupBy("event_id", "key", "as_of").agg(*features).write.mode("overwrite").parquet(question.out)


def _features(label: str, micros: int, question: Question) -> list[Column]:
    inside = F.col("at") >= F.col("as_of") - micros
    amount = F.when(inside, F.col("amount"))
    columns = {
        "n": F.count_if(inside),
        "amount_sum": F.coalesce(F.sum(amount), F.lit(0)),
        "amount_mean": F.avg(amount).cast("double"),
        "amount_std": F.stddev_samp(amount),
        "amount_min": F.min(amount),
        "amount_max": F.max(amount),
        "age": (F.first("as_of") - F.max(F.when(inside, F.col("at")))) / 3_600_000_000,
    }
    if question.with_distinct:
        columns["device_distinct"] = F.count_distinct(F.when(inside, F.col("device")))
    return [column.alias(f"key_{name}_{label}") for name, column in columns.items()]
