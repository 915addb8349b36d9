"""Spark's own window functions with sliding range frames; event time only."""

from __future__ import annotations

from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from benchmarks.competitors.spark import session
from benchmarks.question import WINDOWS, Question


def answer(question: Question, **conf: str) -> None:
    """One window function a feature."""
    rows = session(**conf).read.parquet(question.events).withColumn("at", F.unix_micros("event_at"))
    features = [
        column for window in WINDOWS for column in _features(window.label, window.micros or 0, question)
    ]
    rows.select("event_id", "key", "event_at", *features).write.mode("overwrite").parquet(question.out)


def _features(label: str, micros: int, question: Question) -> list[Column]:
    frame = Window.partitionBy("key").orderBy("at").rangeBetween(-micros, -1)
    columns = {
        "n": F.count("*").over(frame),
        "amount_sum": F.coalesce(F.sum("amount").over(frame), F.lit(0)),
        "amount_mean": F.avg("amount").over(frame).cast("double"),
        "amount_std": F.stddev_samp("amount").over(frame),
        "amount_min": F.min("amount").over(frame),
        "amount_max": F.max("amount").over(frame),
        "age": (F.col("at") - F.max("at").over(frame)) / 3_600_000_000,
    }
    if question.with_distinct:
        columns["device_distinct"] = F.size(F.collect_set("device").over(frame))
    return [column.alias(f"key_{name}_{label}") for name, column in columns.items()]
