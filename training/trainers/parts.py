"""A fit of several tasks that outlives a lost executor: in parts, each going on from what the last one handed in.

A barrier stage ends with any of its tasks, and Spark does not start it anew. So a long fit is handed in every so many
rounds, and a part that fails is tried again from the booster before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from lake.errors import TrustlakeError
from training.trainers.fit import fit
from training.trainers.fit_plan import Fit, FitPlan


def fit_in_parts(
    rows: DataFrame,
    plan: FitPlan,
    *,
    part: int,
    attempts: int,
    on_retry: Callable[[int, str], None] = lambda rounds, why: None,  # noqa: ARG005 - says nothing
) -> Fit:
    """Fit as ``fit`` does, with the same booster for the same rows, plan and ``part``, whether or not parts failed.

    Args:
        part: rounds a part; 0 fits in one.
        attempts: how often a part is tried.
        on_retry: told of the rounds that are kept and why the part failed, before it is tried again.

    Raises:
        TrustlakeError: there are more workers than slots.
        PySparkException, Py4JError: a part failed as often as it is tried.
    """
    length = part or plan.rounds
    # Drawn anew for every round, so that parts draw as the whole would.
    params = dict(plan.params) | ({"seed_per_iteration": True} if part else {})
    done: Fit | None = None
    for first in range(0, plan.rounds, length):
        last = min(first + length, plan.rounds)
        now = replace(
            plan,
            params=params,
            rounds=last - first,
            start=done.booster if done else None,
            is_last=last == plan.rounds,
        )
        done = _tried(rows, now, first, attempts, on_retry)
    if done is None:
        raise TrustlakeError("a fit of no rounds; rounds must be at least 1")
    return replace(done, learns=plan.learns)


def _tried(
    rows: DataFrame, plan: FitPlan, kept: int, attempts: int, on_retry: Callable[[int, str], None]
) -> Fit:
    for attempt in range(1, attempts + 1):
        try:
            return fit(rows, plan)
        except (PySparkException, Py4JError) as error:
            if attempt == attempts:
                raise
            on_retry(kept, str(error).splitlines()[0])
    raise AssertionError(attempts)
