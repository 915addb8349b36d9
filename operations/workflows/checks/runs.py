"""When jobs run and what keeps a run from doing harm: schedules, pauses, limits, retries, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from operations.workflows.bundle import Bundle
from operations.workflows.node import Node
from operations.workflows.presets import DEVELOPMENT, PAUSED, PRODUCTION, TRIGGERS, UNPAUSED
from operations.workflows.quartz import Quartz

_TELLING = ("webhook_notifications", "email_notifications")


def check_runs(bundle: Bundle) -> Iterator[str]:
    """Mistakes in when and how the jobs run."""
    preset = bundle.tree.at("presets", "trigger_pause_status")
    if bundle.mode == DEVELOPMENT and preset.text == UNPAUSED:
        yield f"{preset.origin}: mode development pauses every schedule; remove trigger_pause_status"
    for key, job in bundle.jobs.items():
        yield from _triggers(bundle, job, f"jobs.{key}")
        yield from _limits(job, f"jobs.{key}")


def _triggers(bundle: Bundle, job: Node, where: str) -> Iterator[str]:
    given = [name for name in TRIGGERS if job.at(name).fields]
    if len(given) > 1:
        yield f"{job.at(given[1]).origin}: {where} has {' and '.join(given)}; a job has one of them"
    for name in given:
        pause = job.at(name, "pause_status")
        if bundle.mode == PRODUCTION and pause.text == PAUSED:
            yield f"{pause.origin}: {where} is paused in production; leave pause_status out, and let presets decide"
        if bundle.mode == DEVELOPMENT and pause.text == UNPAUSED:
            yield f"{pause.origin}: {where} would run for every developer; leave pause_status out"
    if "schedule" in given:
        yield from _schedule(job.at("schedule"), where)


def _schedule(schedule: Node, where: str) -> Iterator[str]:
    expression, name = schedule.at("quartz_cron_expression"), schedule.at("timezone_id")
    try:
        zone = ZoneInfo(name.text)
    except (ZoneInfoNotFoundError, ValueError):
        yield f"{name.origin}: {where}: {name.text!r} is no time zone; write UTC or one such as Europe/Kyiv"
        return
    try:
        quartz = Quartz.parse(expression.text)
    except ValueError as error:
        yield f"{expression.origin}: {where}: {expression.text!r} is no Quartz expression: {error}"
        return
    if next(quartz.fires(datetime(2026, 1, 1, tzinfo=UTC), zone), None) is None:
        yield f"{expression.origin}: {where}: {expression.text!r} never fires"


def _limits(job: Node, where: str) -> Iterator[str]:
    tasks = [task for task in job.at("tasks").items if "python_wheel_task" in task.fields]
    if job.at("max_concurrent_runs").value != 1:
        yield f"{job.origin}: {where} writes tables, and two runs could at once; add max_concurrent_runs: 1"
    for node in (job, *tasks):
        if not node.at("timeout_seconds").value:
            what = f"{where} {node.at('task_key').text}".strip()
            yield f"{node.origin}: {what} may hang for ever; add timeout_seconds"
    if not any(job.at(name).fields for name in TRIGGERS):
        return
    if job.at("queue", "enabled").value is not True:
        yield f"{job.origin}: {where}: a run that finds another at work is skipped; add queue: {{enabled: true}}"
    if not job.at("health", "rules").items:
        yield f"{job.origin}: {where}: nobody notices slow runs; add health.rules on RUN_DURATION_SECONDS"
    if not any(isinstance(job.at(way).value, dict) for way in _TELLING):
        yield f"{job.origin}: {where}: nobody is told of failures; add webhook_notifications"
    for task in tasks:
        if task.at("max_retries").value is None:
            yield f"{task.origin}: task {task.at('task_key').text} of {where} fails with its machine; add max_retries"
