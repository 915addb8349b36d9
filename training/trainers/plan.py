"""One task or several: chosen by the number of training rows, and said why."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lake.documents import Strict


class TrainerSettings(Strict):
    """How the winner is fitted.

    Attributes:
        distribute_above_rows: training sets larger than this are fitted by several tasks together.
        workers: number of those tasks; each needs a free slot.
        threads: XGBoost threads of a fit in one task.
    """

    distribute_above_rows: Annotated[int, Field(ge=0)] = 3_000_000
    workers: Annotated[int, Field(ge=1)] = 2
    threads: Annotated[int, Field(ge=1)] = 2


def choose_workers(rows: int, settings: TrainerSettings) -> tuple[int, str]:
    """The number of tasks to fit with, and the reason in words."""
    limit = settings.distribute_above_rows
    if rows > limit:
        return settings.workers, f"{settings.workers} workers: {rows:,} rows are more than {limit:,}"
    return 1, f"one worker: {rows:,} rows are at most {limit:,}"
