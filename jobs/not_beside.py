"""Which jobs may not work at the same time, beyond two runs of one job: what an erasure removes, none may copy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from lake.locks import LOCKS, Clock, check_none_held
from lake.tables import Lake

_COPIES_ROWS = ("train_model", "score_events", "explore_logs", "prove_features")
_NOT_BESIDE: Mapping[str, tuple[str, ...]] = {
    "erase_user": _COPIES_ROWS,
    **dict.fromkeys(_COPIES_ROWS, ("erase_user",)),
}


def check_beside(lake: Lake, job: str, clock: Clock, *, wait: timedelta = timedelta(0)) -> None:
    """Refuse to go on while a run is at work that this job may not be beside.

    Of two such jobs each looks for the other once its own lock is there, so one of them sees it.

    Raises:
        LockedError: a live process is at it, and still is after ``wait``.
    """
    others = _NOT_BESIDE.get(job, ())
    if others:
        lake.ensure(LOCKS)
        check_none_held(lake, others, clock, wait=wait)
