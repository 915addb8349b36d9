"""When a trial is given up: at a round where it is worse than the middle one of the trials before it.

The median rule of Vizier (Golovin and others, KDD 2017). Only waves that have ended count, so that what is given up
depends on the trials alone and not on which of them was quicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from training.sweep.trial import Trial


def bars(finished: Sequence[Trial], fold: int, after: int | None) -> tuple[float, ...]:
    """What the best validation metric of a fold must reach by each check; empty where nothing is given up yet.

    Args:
        finished: the trials of earlier waves.
        after: number of trials that must have run to their end; None gives nothing up.
    """
    curves = [trial.curves[fold] for trial in finished if trial.score is not None and not trial.is_pruned]
    if after is None or len(curves) < after or not all(curves):
        return ()
    last = max(map(len, curves))
    # A curve that ended has its best for good.
    return tuple(median(curve[min(at, len(curve) - 1)] for curve in curves) for at in range(last))
