"""Fit one booster where the rows are: on executors, straight from Arrow. One task, or one barrier stage of several.

Both ways run the same task function through ``mapInArrow``, so they need no RDD and give the same artefact. The
tracker that lets the tasks of a barrier stage find each other runs in the first of them.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark import BarrierTaskContext
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from xgboost.collective import CommunicatorContext
from xgboost.tracker import RabitTracker

from lake.errors import TrustlakeError
from training.trainers.fit_plan import Fit, FitPlan
from training.trainers.grow import grow
from training.trainers.kept import Binned, bin_rows, find, keep, times_binned
from training.trainers.quality import Quality, quality
from training.trainers.rows import read_rows
from training.trainers.seen import Seen

if TYPE_CHECKING:
    # A PySpark that only knows Connect has none.
    from pyspark import Broadcast

_SCHEMA = "booster binary, facts string"
_TOO_FEW_SLOTS = "SPARK-24819"
_READ = ("features", "is_fraud", "is_validation", "loss", "weight", "age_days")
Task = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def fit(rows: DataFrame, plan: FitPlan) -> Fit:
    """Fit one booster on executors.

    Args:
        rows: ``row``, ``is_fraud``, ``is_validation``, ``features`` (array of float, in the plan's order); and
            ``loss``, ``weight`` and ``age_days``, without which nothing is lost, and every row counts once.

    Returns:
        The fit. The same rows, plan and number of workers give the same bytes.
    """
    return fit_ready(in_order(rows, plan.workers), plan)


def fit_ready(rows: DataFrame, plan: FitPlan) -> Fit:
    """Fit with rows that are as ``in_order`` gives them.

    Raises:
        TrustlakeError: there are more workers than slots.
    """
    try:
        return _fit_of(rows.mapInArrow(_task(plan), _SCHEMA, barrier=plan.workers > 1).collect())
    except (PySparkException, Py4JError) as error:
        if _TOO_FEW_SLOTS not in str(error):
            raise
        raise TrustlakeError(
            f"trainer.workers is {plan.workers}, but not so many tasks can run at once; lower trainer.workers or give "
            "the cluster more cores"
        ) from error


def in_order(rows: DataFrame, workers: int = 1) -> DataFrame:
    """The columns a task reads, in as many partitions as there are workers, each in order of ``row``."""
    placed = rows.coalesce(1) if workers == 1 else rows.repartition(workers, F.xxhash64("row"))
    ordered = placed.sortWithinPartitions("row")
    given: dict[str, Column] = {"loss": F.lit(0.0), "weight": F.lit(1.0), "age_days": F.lit(0.0)}
    absent = {name: value for name, value in given.items() if name not in rows.columns}
    return ordered.withColumns(absent).select(*_READ) if absent else ordered.select(*_READ)


def fit_kept(rows: DataFrame, plan: FitPlan, *, sweep: str, fold: int) -> Fit:
    """Fit in one task with rows that its process has kept from an earlier trial; where it has none, it is sent them.

    Args:
        rows: of the fold, as ``in_order`` gives them.
        sweep: names the sweep; fold, its validation fold.
    """
    key = fold, plan.binned_as

    def with_kept(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            binned = find(sweep, key)
            yield _nothing() if binned is None else _answer(binned, plan, rank=0)

    def with_rows(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # The process that is sent the rows need not be the one that asked for them.
        yield _answer(_found_or_binned(batches, plan, sweep, fold), plan, rank=0)
        # A process that leaves its input unread is not used again.
        for _ in batches:
            pass

    asking = rows.sparkSession.createDataFrame([(fold,)], "fold int").coalesce(1)
    found = asking.mapInArrow(with_kept, _SCHEMA).collect()
    if found[0]["booster"] is None:
        found = rows.mapInArrow(with_rows, _SCHEMA).collect()
    return _fit_of(found)


def fit_sent(rows: Broadcast[bytes], plan: FitPlan, *, sweep: str, fold: int) -> Fit:
    """Fit in this process, on an executor, with rows that it keeps from an earlier trial, or else with those sent.

    Args:
        rows: of the fold, as ``in_order`` gives them, as an Arrow stream.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        with pa.ipc.open_stream(rows.value) as stream:
            yield from stream

    binned = _found_or_binned(batches(), plan, sweep, fold)
    return _fit_of(_answer(binned, plan, rank=0).to_pylist())


def _found_or_binned(batches: Iterator[pa.RecordBatch], plan: FitPlan, sweep: str, fold: int) -> Binned:
    """What this process keeps of the fold; where it has nothing, the batches are read, binned and kept."""
    key = fold, plan.binned_as
    binned = find(sweep, key)
    if binned is None:
        binned = bin_rows(*read_rows(batches, len(plan.features), plan.train_days), plan)
        keep(sweep, key, binned)
    return binned


def _fit_of(found: Sequence[Any]) -> Fit:
    tasks = [json.loads(row["facts"]) for row in found]
    first = next(number for number, facts in enumerate(tasks) if facts["rank"] == 0)
    facts = tasks[first]
    return Fit(
        booster=bytes(found[first]["booster"]),
        rounds=facts["rounds"],
        train_rows=sum(facts["train_rows"] for facts in tasks),
        validation=Quality(**facts["validation"]) if facts["validation"] else None,
        curve=tuple(facts["curve"]),
        is_pruned=facts["is_pruned"],
        seen=Seen.together([one["seen"] for one in sorted(tasks, key=lambda one: one["rank"])])
        if facts["seen"]
        else None,
        binned=facts["binned"],
        process=facts["process"],
    )


def _task(plan: FitPlan) -> Task:
    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        train, validation = read_rows(batches, len(plan.features), plan.train_days)
        with _together(plan.workers) as rank:
            binned = bin_rows(train, validation, plan)
            seen = Seen.of(train).as_dict() if plan.keep_booster else None
            # XGBoost has what it needs; the rows are the largest thing held.
            del train
            answer = _answer(binned, plan, rank, seen)
        yield answer

    return run


def _answer(binned: Binned, plan: FitPlan, rank: int, seen: dict[str, Any] | None = None) -> pa.RecordBatch:
    grown = grow(binned, plan)
    sees_all = plan.workers == 1 and len(binned.held) > 0
    facts = {
        "rank": rank,
        "rounds": grown.booster.num_boosted_rounds(),
        "train_rows": binned.train.num_row(),
        "validation": quality(grown.booster, binned.held).as_dict() if sees_all else None,
        "curve": grown.curve,
        "is_pruned": grown.is_pruned,
        "seen": seen,
        "binned": times_binned(),
        "process": f"{socket.gethostname()}:{os.getpid()}",
    }
    kept = bytes(grown.booster.save_raw("ubj")) if plan.keep_booster and rank == 0 else b""
    return pa.RecordBatch.from_pydict(
        {"booster": pa.array([kept], pa.binary()), "facts": [json.dumps(facts)]}
    )


def _nothing() -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"booster": pa.array([None], pa.binary()), "facts": pa.array([None], pa.string())}
    )


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
