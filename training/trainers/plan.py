"""One task or several: chosen by what the rows take in memory, and said why."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lake.documents import Strict

_GIB = 2**30
# So many bins fit a byte.
_OF_A_BYTE = 256


class TrainerSettings(Strict):
    """How a booster is fitted.

    Attributes:
        kind: ``one_task``, ``several_tasks``, or ``auto``, which takes several where one has not the memory;
            ``spark_xgb`` is XGBoost's own estimator, for comparison.
        memory_gb: what the Python process of one task may take for rows.
        workers: number of several tasks; each needs a free slot.
        threads: XGBoost threads of a fit in one task.
        checkpoint_rounds: several tasks hand in what they have after so many rounds, from which a fit goes on that
            lost an executor; 0 hands in the whole only.
        attempts: how often such a part is tried.
    """

    kind: Literal["auto", "one_task", "several_tasks", "spark_xgb"] = "auto"
    memory_gb: Annotated[float, Field(gt=0)] = 4.0
    workers: Annotated[int, Field(ge=1)] = 2
    threads: Annotated[int, Field(ge=1)] = 2
    checkpoint_rounds: Annotated[int, Field(ge=0)] = 0
    attempts: Annotated[int, Field(ge=1)] = 2


def memory_of(rows: int, features: int, max_bin: int) -> float:
    """GiB that a fit in one task takes at its peak: the rows twice as they arrive, then once more as bins."""
    bin_bytes = 1 if max_bin <= _OF_A_BYTE else 2
    return rows * (features * (2 * 4 + bin_bytes) + 24) / _GIB


def choose_workers(rows: int, features: int, max_bin: int, settings: TrainerSettings) -> tuple[int, str]:
    """The number of tasks to fit with, and the reason in words."""
    if settings.kind != "auto":
        workers = 1 if settings.kind == "one_task" else settings.workers
        return workers, f"{_so_many(workers)}: trainer.kind is {settings.kind}"
    needed, limit = memory_of(rows, features, max_bin), settings.memory_gb
    taken = f"{rows:,} rows of {features} features take {needed:.2g} GB"
    if needed > limit:
        return settings.workers, f"{_so_many(settings.workers)}: {taken}, more than {limit:g}"
    return 1, f"one worker: {taken}, at most {limit:g} are allowed"


def _so_many(workers: int) -> str:
    return "one worker" if workers == 1 else f"{workers} workers"
