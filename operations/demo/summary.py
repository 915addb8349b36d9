"""What a demo says at its end: rows in and out of each step, what was refused, and how good the model is."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

from pyspark.sql import functions as F

from jobs.configuration import Config, Loaded
from jobs.job import Finished, open_lake
from lake.runs import RUNS
from training.quality_table import MODEL_QUALITY

_HEAD = ("step", "rows in", "rows out", "refused", "seconds", "where")
_SHOWN = ("roc_auc", "average_precision")
_MIN_FOLDS = 2


def summary(finished: Sequence[Finished], config: Config) -> str:
    """The table of steps, then one line of results a step."""
    rows = [_HEAD, *(_row(one) for one in finished)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    lines = ["", *(_line(row, widths) for row in rows), ""]
    lines += [f"{one.job}: {one.outcome.result}" for one in finished if one.outcome.result]
    lines += ["", f"tables: {config.lake.root or f'{config.lake.catalog}.{config.lake.schema_name}'}"]
    lines += ['next: make ui (models, in MLflow) · README, "Your own data"']
    return "\n".join(lines)


def quality_table(loaded: Loaded) -> str:
    """Quality over the folds of the last training, beside published figures; empty where nothing was trained."""
    lake = open_lake(loaded, "trustlake demo")
    if not lake.exists(MODEL_QUALITY.name):
        return ""
    done = lake.read(RUNS.name).where("job = 'train_model' AND state = 'done'")
    last = done.orderBy(F.col("finished_at").desc()).select("run_key").head()
    if last is None:
        return ""
    measured = lake.read(MODEL_QUALITY.name).where(F.col("run_key") == last["run_key"]).collect()
    values: dict[str, dict[str, float]] = {}
    for row in measured:
        if row["value"] is not None:
            values.setdefault(row["metric"], {})[row["fold"]] = row["value"]
    return _folds(values, loaded.config)


def _folds(values: dict[str, dict[str, float]], config: Config) -> str:
    published = config.training.published
    metrics = [m for m in values if m in _SHOWN or m.startswith("entity_precision")]
    folds = sorted({fold for of_fold in values.values() for fold in of_fold})
    if len(folds) < _MIN_FOLDS and not published:
        return ""
    rows = [("test fold", *metrics)]
    rows += [(fold, *(_cell(values[m].get(fold)) for m in metrics)) for fold in folds]
    if len(folds) >= _MIN_FOLDS:
        rows.append(("mean ± deviation", *(_spread(list(values[m].values())) for m in metrics)))
    for name, figures in published.items():
        rows.append((f"published: {name}", *(_cell(_published(figures, m)) for m in metrics)))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(["", *(_line(row, widths) for row in rows), ""])


def _published(figures: object, metric: str) -> float | None:
    return figures.get(metric.removesuffix("_per_day")) if isinstance(figures, dict) else None


def _row(one: Finished) -> tuple[str, ...]:
    outcome = one.outcome
    counts = [_count(outcome.rows_in), _count(outcome.rows_out), _count(outcome.refused)]
    took = "done before" if one.was_done else f"{one.seconds:.0f}"
    return one.job, *counts, took, outcome.place


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _spread(values: Sequence[float]) -> str:
    return f"{fmean(values):.3f} ± {stdev(values):.3f}" if len(values) >= _MIN_FOLDS else _cell(fmean(values))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:-1], widths[1:-1], strict=True))]
    return "  ".join([*cells, row[-1]]).rstrip()
