"""One fit: rows of a Spark frame in, a booster out. One task, or one barrier stage of several.

Both ways run the same task function through ``mapInArrow``, so they need no RDD and give the same artefact. The
tracker that lets the tasks of a barrier stage find each other runs in the first of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import xgboost as xgb
from pyspark import BarrierTaskContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from xgboost.collective import CommunicatorContext
from xgboost.tracker import RabitTracker

from training.trainers.quality import Quality, quality
from training.trainers.rows import Rows, read_rows

_SCHEMA = "booster binary, facts string"


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPlan:
    """What to fit: XGBoost parameters, the number of rounds, and after how many without gain to stop early."""

    features: tuple[str, ...]
    params: Mapping[str, Any]
    rounds: int
    stop_after: int | None = None
    workers: int = 1
    keep_booster: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A booster as UBJ bytes, cut to its best round, and its quality on validation rows where one task saw them all."""

    booster: bytes = field(repr=False)
    rounds: int
    train_rows: int
    validation: Quality | None


def fit(rows: DataFrame, plan: FitPlan) -> Fit:
    """Fit one booster on executors.

    Args:
        rows: ``row``, ``is_fraud``, ``is_validation`` and ``features`` (array of float, in the plan's order).

    Returns:
        The fit. The same rows, plan and number of workers give the same bytes.
    """
    placed = rows.coalesce(1) if plan.workers == 1 else rows.repartition(plan.workers, F.xxhash64("row"))
    ordered = placed.sortWithinPartitions("row").select("features", "is_fraud", "is_validation")
    task = _task(plan)
    found = ordered.mapInArrow(task, _SCHEMA, barrier=plan.workers > 1).collect()
    tasks = [json.loads(row["facts"]) for row in found]
    first = next(rank for rank, facts in enumerate(tasks) if facts["rank"] == 0)
    validation = tasks[first]["validation"]
    return Fit(
        booster=bytes(found[first]["booster"]),
        rounds=tasks[first]["rounds"],
        train_rows=sum(facts["train_rows"] for facts in tasks),
        validation=Quality(**validation) if validation else None,
    )


def _task(plan: FitPlan) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        train, validation = read_rows(batches, len(plan.features))
        train_rows = len(train.is_fraud)
        with _together(plan.workers) as rank:
            binned = _binned(train, plan)
            # XGBoost has what it needs; the rows are the largest thing held.
            del train
            booster = _train(binned, validation, plan)
        sees_all = plan.workers == 1 and len(validation.is_fraud) > 0
        facts = {
            "rank": rank,
            "rounds": booster.num_boosted_rounds(),
            "train_rows": train_rows,
            "validation": quality(booster, validation).as_dict() if sees_all else None,
        }
        kept = bytes(booster.save_raw("ubj")) if plan.keep_booster and rank == 0 else b""
        yield pa.RecordBatch.from_pydict(
            {"booster": pa.array([kept], pa.binary()), "facts": [json.dumps(facts)]}
        )

    return run


def _binned(rows: Rows, plan: FitPlan, like: xgb.QuantileDMatrix | None = None) -> xgb.QuantileDMatrix:
    return xgb.QuantileDMatrix(
        rows.features,
        label=rows.is_fraud.astype(np.float32),
        feature_names=list(plan.features),
        ref=like,
        max_bin=int(plan.params.get("max_bin", 256)),
    )


def _train(binned: xgb.QuantileDMatrix, validation: Rows, plan: FitPlan) -> xgb.Booster:
    watched: list[tuple[xgb.DMatrix, str]] = []
    stop = None
    if plan.stop_after is not None:
        watched, stop = [(_binned(validation, plan, like=binned), "validation")], plan.stop_after
    booster = xgb.train(
        dict(plan.params),
        binned,
        num_boost_round=plan.rounds,
        evals=watched,
        early_stopping_rounds=stop,
        verbose_eval=False,
    )
    return booster if stop is None else booster[: booster.best_iteration + 1]


@contextmanager
def _together(workers: int) -> Iterator[int]:
    """Join the other tasks of the stage; yields this task's rank, 0 where it is alone."""
    if workers == 1:
        yield 0
        return
    context = BarrierTaskContext.get()
    rank = context.partitionId()
    tracker = None
    address = ""
    if rank == 0:
        tracker = RabitTracker(n_workers=workers, host_ip=context.getTaskInfos()[0].address.split(":")[0])
        tracker.start()
        address = json.dumps(tracker.worker_args())
    found = next(filter(None, context.allGather(address)))
    with CommunicatorContext(**json.loads(found), dmlc_task_id=str(rank)):
        yield rank
    context.barrier()
    if tracker is not None:
        tracker.wait_for()
        tracker.free()
