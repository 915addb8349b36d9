"""Spark's window functions with the segment tree that Spark 4.2 offers for sliding frames; event time only."""

from __future__ import annotations

from benchmarks.competitors import spark_windows
from benchmarks.question import Question

SWITCH = "spark.sql.window.segmentTree.enabled"


def answer(question: Question) -> None:
    """The same window functions with the switch on."""
    spark_windows.answer(question, **{SWITCH: "true"})
