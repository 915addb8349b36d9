"""Runs of deployed jobs: started once, followed to their end, repaired."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import Run, RunLifeCycleState, RunResultState, RunTask

from lake.errors import TrustlakeError

_ENDED = frozenset(
    {RunLifeCycleState.TERMINATED, RunLifeCycleState.SKIPPED, RunLifeCycleState.INTERNAL_ERROR}
)
_GOOD = frozenset({RunResultState.SUCCESS, RunResultState.SUCCESS_WITH_FAILURES})
_BAD = frozenset({RunResultState.FAILED, RunResultState.TIMEDOUT, RunResultState.CANCELED})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: whether it is good, and a line for each task that failed, with why."""

    run_id: int
    is_good: bool
    state: str
    failures: tuple[str, ...]


def find_job(client: WorkspaceClient, name: str) -> int:
    """The id of the deployed job of a name.

    Raises:
        TrustlakeError: there is none, or more than one.
    """
    found = [job.job_id for job in client.jobs.list(name=name) if job.job_id is not None]
    if len(found) != 1:
        known = ", ".join(map(str, found)) or "none"
        raise TrustlakeError(
            f"expected one job named {name!r}, found {known}; databricks bundle deploy makes it"
        )
    return found[0]


def token(name: str, at: str, attempt: int, parameters: Mapping[str, str]) -> str:
    """What makes a second request for the same run find the first: 64 characters, the same for the same run."""
    text = repr((name, at, attempt, sorted(parameters.items())))
    return hashlib.sha256(text.encode()).hexdigest()


def start(client: WorkspaceClient, job_id: int, parameters: Mapping[str, str], idempotency_token: str) -> int:
    """Start a run, or find the one that this token started before; returns its id."""
    started = client.jobs.run_now(
        job_id, job_parameters=dict(parameters) or None, idempotency_token=idempotency_token
    )
    return int(started.bind()["run_id"])


def repair(client: WorkspaceClient, run_id: int) -> None:
    """Run again what failed of a run, and what depends on it."""
    last = client.jobs.get_run(run_id, include_history=True).repair_history or []
    ids = [item.id for item in last if item.id is not None]
    client.jobs.repair_run(run_id, rerun_all_failed_tasks=True, latest_repair_id=ids[-1] if ids else None)


def follow(
    client: WorkspaceClient, run_id: int, *, seconds: float, poll: float, changed: Callable[[str], None]
) -> Ended:
    """Wait until a run has ended.

    Args:
        client: of the workspace.
        run_id: the run.
        seconds: wait no longer.
        poll: seconds between two looks.
        changed: told in a line whenever a task changes its state.

    Raises:
        TrustlakeError: it has not ended in time; it goes on.
    """
    deadline, seen = time.monotonic() + seconds, dict[str, str]()
    while True:
        run = client.jobs.get_run(run_id)
        for task in run.tasks or []:
            state = _task_state(task)
            if seen.get(task.task_key) != state:
                seen[task.task_key] = state
                changed(f"{task.task_key}: {state}")
        if run.state is not None and run.state.life_cycle_state in _ENDED:
            return _ended(client, run_id, run)
        if time.monotonic() >= deadline:
            raise TrustlakeError(
                f"run {run_id} has not ended after {seconds:.0f} s, and goes on; ops wait follows it"
            )
        time.sleep(min(poll, max(0.0, deadline - time.monotonic())))


def _ended(client: WorkspaceClient, run_id: int, run: Run) -> Ended:
    state = run.state
    result = state.result_state if state is not None else None
    words = [part.value for part in (state and state.life_cycle_state, result) if part]
    said = [state.state_message] if state is not None and state.state_message and result not in _GOOD else []
    failures = [
        _why(client, task) for task in run.tasks or [] if task.state and task.state.result_state in _BAD
    ]
    return Ended(run_id, result in _GOOD, " ".join(words), (*failures, *said))


def _why(client: WorkspaceClient, task: RunTask) -> str:
    """A failed task and the error that it left; the output belongs to the task's own run."""
    try:
        error = client.jobs.get_run_output(task.run_id).error if task.run_id else None
    except DatabricksError:
        error = None
    return f"{task.task_key}: {error or _task_state(task)}"


def _task_state(task: RunTask) -> str:
    state = task.state
    shown = state and (state.result_state or state.life_cycle_state)
    attempt = f" (attempt {task.attempt_number + 1})" if task.attempt_number else ""
    return (shown.value.lower() if shown else "unknown") + attempt
