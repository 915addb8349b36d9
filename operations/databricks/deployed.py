"""What is deployed of a bundle: the jobs that are there, those that are not, and how their last runs ended."""

from __future__ import annotations

from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import JobSettings

from operations.workflows.bundle import Bundle
from operations.workflows.node import Node

_NOT_DEPLOYED, _CHANGED, _AS_HERE = "not deployed", "deployed, with other tasks", "deployed"


@dataclass(frozen=True, slots=True)
class Deployed:
    """One workflow: whether it is deployed as here, whether its schedule waits, and how its last run ended."""

    key: str
    state: str
    pause: str
    last_run: str


def deployed(client: WorkspaceClient, bundle: Bundle) -> list[Deployed]:
    """What a workspace has of each workflow of a bundle."""
    return [_deployed(client, key, job) for key, job in bundle.jobs.items()]


def _deployed(client: WorkspaceClient, key: str, job: Node) -> Deployed:
    found = [one.job_id for one in client.jobs.list(name=job.at("name").text) if one.job_id is not None]
    if not found:
        return Deployed(key, _NOT_DEPLOYED, "", "")
    # By its id, for only so all tasks come, page by page.
    settings = client.jobs.get(found[0]).settings or JobSettings()
    here = {task.at("task_key").text for task in job.at("tasks").items}
    there = {task.task_key for task in settings.tasks or []}
    runs = list(client.jobs.list_runs(job_id=found[0], limit=1))[:1]
    state = runs[0].state if runs else None
    last = state and (state.result_state or state.life_cycle_state)
    return Deployed(
        key, _AS_HERE if here == there else _CHANGED, _pause(settings), last.value if last else "never run"
    )


def _pause(settings: JobSettings) -> str:
    for trigger in (settings.schedule, settings.trigger):
        if trigger is not None:
            return "paused" if trigger.pause_status and trigger.pause_status.value == "PAUSED" else "runs"
    return "by hand"
