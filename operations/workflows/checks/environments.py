"""Serverless environments: versions that the wheel runs on, what is installed there, and which tasks they can serve."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lake.documents import read_documents
from operations.workflows.bundle import Bundle
from operations.workflows.checks.commands import wheel_mistakes
from operations.workflows.node import Node

VERSIONS = "conf/databricks/environments.yml"
# They hash personal values, and a secret reaches the environment of a job on a cluster alone.
_NEED_THE_KEY = frozenset({"ingest_logs", "erase_user"})
# Serverless compute has its own, and another one keeps a session from starting.
_NEVER = re.compile(r"(pyspark|delta-spark|databricks-connect)\b")


def check_environments(bundle: Bundle) -> Iterator[str]:
    """Mistakes in the environments of every job and in the tasks that run in them."""
    versions: list[str] | None = None
    for key, job in bundle.jobs.items():
        for environment in job.at("environments").items:
            versions = _versions(bundle) if versions is None else versions
            where = f"jobs.{key}: environment {environment.at('environment_key').text}"
            yield from _environment(bundle, environment.at("spec"), where, versions)
        for task in job.at("tasks").items:
            yield from _task(task)
            yield from _task(task.at("for_each_task", "task"))


def _versions(bundle: Bundle) -> list[str]:
    (document,) = read_documents(bundle.folder / VERSIONS)
    return list(document.tree)


def _environment(bundle: Bundle, spec: Node, where: str, versions: list[str]) -> Iterator[str]:
    version, dependencies = spec.at("environment_version"), spec.at("dependencies")
    if version.text not in versions:
        yield f"{version.origin}: {where} has version {version.text!r}; {VERSIONS} has {', '.join(versions)}"
    wheels = [item for item in dependencies.items if item.text.endswith(".whl")]
    if not wheels:
        yield f"{dependencies.origin}: {where} has no wheel among its dependencies; add ../../dist/*.whl"
    for wheel in wheels:
        yield from wheel_mistakes(bundle, wheel)
    for item in dependencies.items:
        if _NEVER.match(item.text):
            yield f"{item.origin}: {where} installs {item.text}, and serverless compute has its own; remove it"


def _task(task: Node) -> Iterator[str]:
    key, command = task.at("task_key"), task.at("python_wheel_task", "entry_point")
    if "environment_key" not in task.fields:
        return
    if task.at("libraries").items:
        yield (
            f"{task.at('libraries').origin}: task {key.text} runs in an environment, which takes no libraries; move "
            "them to its dependencies"
        )
    if command.text in _NEED_THE_KEY:
        yield (
            f"{task.at('environment_key').origin}: task {key.text} hashes personal values, and an environment hands "
            "it no secret; give it a job cluster"
        )
