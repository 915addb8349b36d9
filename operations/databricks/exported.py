"""Results of runs as rows of a file: one per task and attempt."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import BaseRun, RunTask

_COLUMNS = ("job", "run_id", "task", "attempt", "state", "started_at", "finished_at", "seconds")


def export_runs(client: WorkspaceClient, job_id: int, since: datetime, out: Path) -> int:
    """Write the tasks of a job's runs since an instant as CSV, the newest run first; returns how many."""
    count = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        first = int(since.timestamp() * 1000)
        for run in client.jobs.list_runs(job_id=job_id, start_time_from=first, expand_tasks=True):
            for row in _rows(run):
                writer.writerow(row)
                count += 1
    return count


def _rows(run: BaseRun) -> Iterator[tuple[object, ...]]:
    for task in run.tasks or []:
        state = task.state and (task.state.result_state or task.state.life_cycle_state)
        yield (
            run.run_name,
            run.run_id,
            task.task_key,
            (task.attempt_number or 0) + 1,
            state.value if state else "",
            _instant(task.start_time),
            _instant(task.end_time),
            _seconds(task),
        )


def _instant(millis: int | None) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat() if millis else ""


def _seconds(task: RunTask) -> str:
    return f"{(task.end_time - task.start_time) / 1000:.0f}" if task.start_time and task.end_time else ""
