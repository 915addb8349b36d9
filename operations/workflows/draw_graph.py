"""``trustlake graph``: the tasks of a workflow as a picture in Mermaid, which most readers of Markdown draw."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from operations.workflows.bundle_arguments import add_bundle_arguments, bundle_of, job_of
from operations.workflows.node import Node


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake graph``."""
    parser.add_argument("workflow", nargs="?", metavar="WORKFLOW", help="(default: all of them)")
    add_bundle_arguments(parser, default_target="the default one of the file")


def run(arguments: argparse.Namespace) -> None:
    """Print the picture."""
    bundle = bundle_of(arguments)
    chosen = {arguments.workflow: job_of(bundle, arguments.workflow)} if arguments.workflow else bundle.jobs
    print("flowchart LR")
    for key, job in chosen.items():
        print(f"  subgraph {key}")
        for line in _drawn(key, job):
            print(f"    {line}")
        print("  end")


def _drawn(key: str, job: Node) -> Iterator[str]:
    for task in job.at("tasks").items:
        name = task.at("task_key").text
        label = task.at("python_wheel_task", "entry_point").text or name
        is_condition = bool(task.at("condition_task").fields)
        yield f'{key}.{name}{{"{label}"}}' if is_condition else f'{key}.{name}["{label}"]'
        for edge in task.at("depends_on").items:
            told = " ".join(filter(None, (edge.at("outcome").text, task.at("run_if").text)))
            arrow = f'-->|"{told}"|' if told else "-->"
            yield f"{key}.{edge.at('task_key').text} {arrow} {key}.{name}"
