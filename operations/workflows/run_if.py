"""Whether a task runs, given how those it depends on ended: the rules of Databricks' ``run_if``.

Source: Databricks documentation, "Configure task dependencies". An excluded task counts as one that succeeded, but a
task of which every dependency is excluded is excluded itself.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class State(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    EXCLUDED = "excluded"
    UPSTREAM_FAILED = "upstream failed"

    @property
    def is_final(self) -> bool:
        return self not in {State.PENDING, State.RUNNING}

    @property
    def is_failure(self) -> bool:
        return self in {State.FAILED, State.TIMED_OUT, State.UPSTREAM_FAILED}


# The rules that look for failures: where there are none, such a task has nothing to do.
_AFTER_FAILURES = frozenset({"AT_LEAST_ONE_FAILED", "ALL_FAILED"})
RULES = _AFTER_FAILURES | {"ALL_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_SUCCESS"}


def decided(rule: str, ended: Collection[State]) -> State:
    """RUNNING where a task begins now, else the state that it ends in without having run.

    Args:
        rule: its ``run_if``; empty stands for ALL_SUCCESS.
        ended: the final states of its dependencies, an outcome of a condition that it does not follow as EXCLUDED.

    Raises:
        ValueError: there is no such rule.
    """
    rule = rule or "ALL_SUCCESS"
    if rule not in RULES:
        raise ValueError(f"run_if is {rule!r}; there are {', '.join(sorted(RULES))}")
    executed = [state for state in ended if state is not State.EXCLUDED]
    if ended and not executed:
        return State.EXCLUDED
    failures = [state.is_failure for state in executed]
    runs = {
        "ALL_SUCCESS": not any(failures),
        "NONE_FAILED": not any(failures),
        "ALL_DONE": True,
        "AT_LEAST_ONE_SUCCESS": not failures or not all(failures),
        "AT_LEAST_ONE_FAILED": any(failures),
        "ALL_FAILED": bool(failures) and all(failures),
    }
    if runs[rule]:
        return State.RUNNING
    return State.EXCLUDED if rule in _AFTER_FAILURES else State.UPSTREAM_FAILED
