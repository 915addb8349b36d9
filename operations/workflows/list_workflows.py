"""``trustlake list``: the workflows of databricks.yml, when they run and of what they consist."""

from __future__ import annotations

import argparse

from operations.workflows.bundle_arguments import add_bundle_arguments, bundle_of
from operations.workflows.node import Node


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake list``."""
    add_bundle_arguments(parser, default_target="the default one of the file")


def run(arguments: argparse.Namespace) -> None:
    """Print a line for each workflow."""
    bundle = bundle_of(arguments)
    rows = [
        (key, _when(job), " ".join(_names(job)), " ".join(_parameters(job)))
        for key, job in bundle.jobs.items()
    ]
    table = [("workflow", "when", "tasks", "parameters"), *rows]
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _when(job: Node) -> str:
    paused = (
        " (paused)"
        if any(job.at(t, "pause_status").text == "PAUSED" for t in ("schedule", "trigger"))
        else ""
    )
    if job.at("schedule").fields:
        return f"{job.at('schedule', 'quartz_cron_expression').text} {job.at('schedule', 'timezone_id').text}{paused}"
    tables = [node.text for node in job.at("trigger", "table_update", "table_names").items]
    return f"when {', '.join(tables)} changes{paused}" if tables else "by hand"


def _names(job: Node) -> list[str]:
    return [task.at("task_key").text for task in job.at("tasks").items]


def _parameters(job: Node) -> list[str]:
    return [f"{item.at('name').text}={item.at('default').text}" for item in job.at("parameters").items]
