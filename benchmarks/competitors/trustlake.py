"""The platform's engine."""

from __future__ import annotations

from benchmarks.competitors.spark import session
from benchmarks.question import PARTITIONS, Question
from features.source import Source
from features.view import build_view, hot_keys, spine_rows
from jobs.feature_table import STORED
from jobs.python_ahead import python_ahead


def answer(question: Question) -> None:
    """Build the view as ``build_features`` does."""
    rows = session().read.parquet(question.events)
    view = question.view
    sources = {"events": Source(rows, ("event_id",))}
    spine = spine_rows(view, rows)
    with python_ahead(session()):
        # Every event meets its own question, so twice as many rows are exchanged; hot is what has two tasks' worth.
        hot = hot_keys(view, spine, sources, rows_per_task=2 * 2 * question.rows // PARTITIONS)
    built = build_view(view, spine, sources, tasks=PARTITIONS, hot=hot)
    built.write.options(**STORED).mode("overwrite").parquet(question.out)
