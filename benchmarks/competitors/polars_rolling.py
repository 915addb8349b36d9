"""Polars' rolling groups; event time only."""

from __future__ import annotations

import polars as pl

from benchmarks.question import WINDOWS, Question


def answer(question: Question) -> None:
    """One rolling pass a window over rows sorted by key and time."""
    rows = pl.read_parquet(f"{question.events}/*.parquet").sort("key", "event_at")
    rows = rows.with_columns(pl.col("event_at").dt.epoch("us").alias("at"))
    answers = [rows.select("event_id", "key", "event_at")]
    for window in WINDOWS:
        rolling = rows.rolling("event_at", period=f"{window.micros}us", closed="left", group_by="key")
        # Keys come in an order of their own; rows of one instant and key have the same answer.
        found = rolling.agg(*_features(window.label, question)).sort("key", "event_at")
        age = (rows["at"] - found["latest"]) / 3_600_000_000
        answers.append(
            found.drop("key", "event_at", "latest").with_columns(age.alias(f"key_age_{window.label}"))
        )
    pl.concat(answers, how="horizontal").write_parquet(question.out)


def _features(label: str, question: Question) -> list[pl.Expr]:
    amount = pl.col("amount")
    columns = {
        "n": pl.len(),
        "amount_sum": amount.sum(),
        "amount_mean": amount.mean(),
        "amount_std": amount.cast(pl.Float64).std(),
        "amount_min": amount.min(),
        "amount_max": amount.max(),
    }
    if question.with_distinct:
        columns["device_distinct"] = pl.col("device").n_unique()
    named = [expression.alias(f"key_{name}_{label}") for name, expression in columns.items()]
    return [*named, pl.col("at").max().alias("latest")]
