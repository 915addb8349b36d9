"""No competitor but what writing costs: Spark reads the engine's own answer, and writes it once more."""

from __future__ import annotations

from pathlib import Path

from benchmarks.competitors.spark import session
from benchmarks.question import Question


def answer(question: Question) -> None:
    """Write the columns of the engine's answer, with the values they have."""
    found = session().read.parquet(str(Path(question.out).with_name("trustlake.parquet")))
    found.write.mode("overwrite").parquet(question.out)
