"""A Spark session that starts, runs one tiny job with a Python worker, and ends: what is taken off Spark's figures."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from benchmarks.competitors.spark import session
from benchmarks.question import Question


def answer(question: Question) -> None:
    """Write two numbers."""
    rows = session().range(2).mapInArrow(_same, "id long")
    rows.write.mode("overwrite").parquet(question.out)


def _same(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from batches
