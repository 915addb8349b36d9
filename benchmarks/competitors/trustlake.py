"""The platform's engine."""

from __future__ import annotations

from benchmarks.competitors.spark import session
from benchmarks.question import PARTITIONS, Question
from features.source import Source
from features.view import build_view, spine_rows


def answer(question: Question) -> None:
    """Build the view as ``build_features`` does."""
    rows = session().read.parquet(question.events)
    view = question.view
    sources = {"events": Source(rows, ("event_id",))}
    built = build_view(view, spine_rows(view, rows), sources, tasks=PARTITIONS)
    built.write.mode("overwrite").parquet(question.out)
