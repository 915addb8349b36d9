"""The graph of a job's tasks: every task named once, every name known, no circles, and a place for each to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from operations.workflows.bundle import Bundle
from operations.workflows.node import Node

# Tasks that the workspace itself carries out.
_WITHOUT_COMPUTE = ("condition_task", "run_job_task", "for_each_task", "sql_task", "dashboard_task")
_COMPUTE = ("job_cluster_key", "existing_cluster_id", "new_cluster", "environment_key")
_OUTCOMES = frozenset({"true", "false"})


def check_graph(bundle: Bundle) -> Iterator[str]:
    """Mistakes in how the tasks of each job hang together, and in what they run on."""
    for key, job in bundle.jobs.items():
        yield from loose_ends(key, job)
        yield from _named_twice(job.at("job_clusters").items, "job_cluster_key", f"jobs.{key}")
        for task in job.at("tasks").items:
            yield from _compute(task, job, f"jobs.{key}")


def loose_ends(key: str, job: Node) -> Iterator[str]:
    """Mistakes in the names of a job's tasks and parameters, and in what its tasks depend on."""
    tasks = job.at("tasks").items
    yield from _named_twice(tasks, "task_key", f"jobs.{key}")
    yield from _named_twice(job.at("parameters").items, "name", f"jobs.{key}")
    by_key = {task.at("task_key").text: task for task in tasks}
    for task in tasks:
        yield from _dependencies(task, by_key)
    yield from _circle(by_key, key)


def _named_twice(nodes: Sequence[Node], name: str, where: str) -> Iterator[str]:
    counted = Counter(node.at(name).text for node in nodes)
    for node in nodes:
        text = node.at(name).text
        if text and counted[text] > 1:
            yield f"{node.at(name).origin}: {where} has {counted[text]} times {name} {text}; rename or merge them"


def _dependencies(task: Node, by_key: Mapping[str, Node]) -> Iterator[str]:
    for needed in task.at("depends_on").items:
        name, outcome = needed.at("task_key"), needed.at("outcome")
        where = f"{name.origin}: task {task.at('task_key').text} depends on {name.text}"
        if name.text not in by_key:
            yield f"{where}, which is no task of the job; there are {', '.join(by_key)}"
            continue
        is_condition = "condition_task" in by_key[name.text].fields
        if is_condition and outcome.value not in _OUTCOMES:
            yield f'{where}, a condition, without an outcome; add outcome: "true" or "false"'
        if not is_condition and outcome.value is not None:
            yield f"{where} with an outcome, which only a condition has; remove it"


def _compute(task: Node, job: Node, where: str) -> Iterator[str]:
    key, nested = task.at("task_key"), task.at("for_each_task", "task")
    if nested.fields:
        yield from _compute(nested, job, where)
    given = [name for name in _COMPUTE if name in task.fields]
    if any(name in task.fields for name in _WITHOUT_COMPUTE):
        if given:
            yield f"{task.at(given[0]).origin}: task {key.text} needs no {given[0]}; remove it"
        return
    if len(given) != 1:
        found = " and ".join(given) or "nothing"
        yield f"{key.origin}: task {key.text} is given {found} to run on; give it one of {', '.join(_COMPUTE)}"
    for name, section in (("job_cluster_key", "job_clusters"), ("environment_key", "environments")):
        known = [item.at(name).text for item in job.at(section).items]
        if name in task.fields and task.at(name).text not in known:
            there = ", ".join(known) or "none"
            yield (
                f"{task.at(name).origin}: task {key.text} names {task.at(name).text}, which {where} does not have "
                f"in {section}; there are {there}"
            )


def _circle(by_key: Mapping[str, Node], job: str) -> Iterator[str]:
    needs = {
        key: {needed.at("task_key").text for needed in task.at("depends_on").items} & set(by_key)
        for key, task in by_key.items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = error.args[1]
        yield (
            f"{by_key[circle[0]].origin}: tasks of jobs.{job} wait for each other: {' → '.join(circle)}; remove a "
            "dependency"
        )
