"""DuckDB's window functions with range frames; event time only."""

from __future__ import annotations

import duckdb

from benchmarks.question import WINDOWS, Question


def answer(question: Question) -> None:
    """One query; two threads, as Spark has two."""
    frames = ", ".join(
        f"w_{window.label} AS (PARTITION BY key ORDER BY event_at RANGE BETWEEN "
        f"to_microseconds({window.micros}) PRECEDING AND to_microseconds(1) PRECEDING)"
        for window in WINDOWS
    )
    features = ", ".join(feature for window in WINDOWS for feature in _features(window.label, question))
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            f"COPY (SELECT event_id, key, event_at, {features} FROM read_parquet('{question.events}/*.parquet') "
            f"WINDOW {frames}) TO '{question.out}' (FORMAT parquet)"
        )


def _features(label: str, question: Question) -> list[str]:
    columns = {
        "n": "count(*) OVER {w}",
        "amount_sum": "coalesce(sum(amount) OVER {w}, 0)",
        "amount_mean": "avg(amount) OVER {w}",
        "amount_std": "stddev_samp(amount) OVER {w}",
        "amount_min": "min(amount) OVER {w}",
        "amount_max": "max(amount) OVER {w}",
        "age": "(epoch_us(event_at) - epoch_us(max(event_at) OVER {w})) / 3600000000",
    }
    if question.with_distinct:
        columns["device_distinct"] = "count(DISTINCT device) OVER {w}"
    return [f"{sql.format(w=f'w_{label}')} AS key_{name}_{label}" for name, sql in columns.items()]
