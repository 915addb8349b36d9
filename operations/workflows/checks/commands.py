"""What each task of a wheel is told: its command is ours, its arguments are those of its parser, its files exist."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

from jobs.job import check, parsed
from lake.errors import ConfigError
from lake.hash_key import VARIABLE
from operations.workflows.bundle import Bundle
from operations.workflows.checks.clusters import TRAINING
from operations.workflows.dynamic import UnknownDynamicError, filled, is_secret, sample
from operations.workflows.node import Node
from operations.workflows.parameters import defaults_of

PACKAGE = "trustlake"
_SWEEP = "hyperopt"


def check_commands(bundle: Bundle) -> Iterator[str]:
    """Mistakes in the tasks that run commands of the wheel, and in the dynamic values of all."""
    for job in bundle.jobs.values():
        tasks = {task.at("task_key").text: task for task in _tasks_and_iterated(job)}
        yield from _dynamic_values(job, tasks)
        for task in tasks.values():
            if "python_wheel_task" in task.fields:
                yield from _command(task, defaults_of(job), tasks)
                yield from _libraries(bundle, task)


def _tasks_and_iterated(job: Node) -> Iterator[Node]:
    for task in job.at("tasks").items:
        yield task
        if task.at("for_each_task", "task").fields:
            yield task.at("for_each_task", "task")


def _dynamic_values(job: Node, tasks: Mapping[str, Node]) -> Iterator[str]:
    parameters = defaults_of(job)
    for section, node in job.fields.items():
        for leaf in node.leaves():
            try:
                filled(leaf.text, lambda name: sample(name, parameters, tasks))
            except UnknownDynamicError as error:
                yield f"{leaf.origin}: {error}; there are {{{{job.parameters.x}}}} of {', '.join(parameters) or 'none'}"
            if section != "job_clusters" and any(is_secret(name) for name in _names(leaf.text)):
                yield f"{leaf.origin}: a secret stands in {section}, where anybody reads it; move it to spark_env_vars"


def _names(text: str) -> list[str]:
    found: list[str] = []

    def noted(name: str) -> str:
        found.append(name)
        return ""

    with contextlib.suppress(UnknownDynamicError):
        filled(text, noted)
    return found


def _command(task: Node, defaults: Mapping[str, str], tasks: Mapping[str, Node]) -> Iterator[str]:
    wheel = task.at("python_wheel_task")
    package, entry, arguments = (wheel.at(name) for name in ("package_name", "entry_point", "parameters"))
    if package.text != PACKAGE:
        yield f"{package.origin}: package_name is {package.text!r}; the wheel is {PACKAGE}"
    if "named_parameters" in wheel.fields:
        origin = wheel.at("named_parameters").origin
        yield f"{origin}: job parameters would be added to named_parameters; write parameters, a list"
    commands = {
        point.name: point.module for point in _installed().entry_points if point.module.startswith("jobs.")
    }
    if entry.text not in commands:
        yield f"{entry.origin}: entry_point {entry.text!r} is no job of {PACKAGE}; there are {', '.join(commands)}"
        return
    try:
        argv = tuple(
            filled(item.text, lambda name: sample(name, defaults, tasks)) for item in arguments.items
        )
    except UnknownDynamicError:
        return  # it was told of above
    origin = arguments.origin if arguments.items else wheel.origin
    for mistake in _refused(commands[entry.text], argv):
        yield f"{origin}: task {task.at('task_key').text}: {entry.text} refuses {' '.join(argv[-4:])!r}: {mistake}"


@cache
def _installed() -> Distribution:
    return distribution(PACKAGE)


@cache
def _refused(module: str, argv: tuple[str, ...]) -> Sequence[str]:
    """What the command would say of its arguments and of the configuration that they name; nothing if it is fine."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), _some_key():
            arguments = parsed(importlib.import_module(module).JOB, argv)
    except SystemExit:
        return [said.getvalue().strip().splitlines()[-1].partition("error: ")[2]]
    return _unfit(tuple(arguments.config), tuple(arguments.set))


@contextlib.contextmanager
def _some_key() -> Iterator[None]:
    """A key for the hash of an argument, as a cluster has one: what is hashed here is thrown away."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = before or "nothing that is kept"
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]


@cache
def _unfit(files: tuple[str, ...], settings: tuple[str, ...]) -> Sequence[str]:
    try:
        check(files, settings)
    except ConfigError as error:
        return error.mistakes
    return ()


def _libraries(bundle: Bundle, task: Node) -> Iterator[str]:
    key, libraries = task.at("task_key"), task.at("libraries")
    wheels = [item.at("whl") for item in libraries.items if "whl" in item.fields]
    if not wheels and "environment_key" not in task.fields:
        yield f"{key.origin}: task {key.text} has no wheel among its libraries; add - whl: ../dist/*.whl"
    for wheel in wheels:
        yield from wheel_mistakes(bundle, wheel)
    packages = [item.at("pypi", "package").text for item in libraries.items]
    sweeps = task.at("python_wheel_task", "entry_point").text in TRAINING
    if sweeps and not any(package.startswith(_SWEEP) for package in packages):
        yield f"{libraries.origin}: task {key.text} sweeps with {_SWEEP}, which no runtime has; add it as - pypi"


def wheel_mistakes(bundle: Bundle, wheel: Node) -> Iterator[str]:
    """A path is relative to the file that it stands in, and what matches it is built by an artifact or is there."""
    if wheel.text.startswith(("/Workspace/", "/Volumes/", "dbfs:", "s3:", "abfss:", "gs:")):
        return
    folder = Path(wheel.origin.rpartition(":")[0]).parent
    wanted = (folder / wheel.text).resolve()
    built = [
        (bundle.folder / artifact.at("path").text / "dist").resolve()
        for artifact in bundle.tree.at("artifacts").fields.values()
        if artifact.at("type").text == "whl"
    ]
    name = f"{PACKAGE}-{_installed().version}-py3-none-any.whl"
    is_built = wanted.parent in built and fnmatch(name, wanted.name)
    if not is_built and not list(wanted.parent.glob(wanted.name)):
        yield (
            f"{wheel.origin}: wheel {wheel.text} is {wanted}, which no artifact builds and which is not there; "
            "paths are relative to the file that they stand in"
        )
