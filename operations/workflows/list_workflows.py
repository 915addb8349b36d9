"""``trustlake list``: the workflows of databricks.yml, when they run and of what they consist."""

from __future__ import annotations

import argparse

from operations.table_lines import table_lines
from operations.workflows.bundle_arguments import add_bundle_arguments, bundle_of
from operations.workflows.node import Node
from operations.workflows.parameters import defaults_of
from operations.workflows.presets import PAUSED, TRIGGERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake list``."""
    add_bundle_arguments(parser, default_target="the default one of the file")


def run(arguments: argparse.Namespace) -> None:
    """Print a line for each workflow."""
    bundle = bundle_of(arguments)
    rows = [
        (key, _when(job), " ".join(_names(job)), " ".join(map("=".join, defaults_of(job).items())))
        for key, job in bundle.jobs.items()
    ]
    for line in table_lines(("workflow", "when", "tasks", "parameters"), rows):
        print(line)


def _when(job: Node) -> str:
    is_paused = any(job.at(trigger, "pause_status").text == PAUSED for trigger in TRIGGERS)
    paused = " (paused)" if is_paused else ""
    if job.at("schedule").fields:
        return f"{job.at('schedule', 'quartz_cron_expression').text} {job.at('schedule', 'timezone_id').text}{paused}"
    tables = [node.text for node in job.at("trigger", "table_update", "table_names").items]
    return f"when {', '.join(tables)} changes{paused}" if tables else "by hand"


def _names(job: Node) -> list[str]:
    return [task.at("task_key").text for task in job.at("tasks").items]
