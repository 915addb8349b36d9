"""``trustlake demo``: every step of a configuration in one process and one session, and what came of it."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from jobs.configuration import VARIABLE, Config, load
from jobs.job import now
from lake.errors import ConfigError, TrustlakeError
from operations.configurations import add_config_arguments, chosen_files
from operations.demo.memory import PeakMemory
from operations.demo.summary import quality_table, summary
from operations.workflows.in_session import InSession, job_named
from operations.workflows.node import Node
from operations.workflows.run_if import State
from operations.workflows.run_record import RunRecord
from operations.workflows.runner import Machine, Runner, values

_ELSEWHERE = Path(".trustlake")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake demo``."""
    add_config_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the steps in order; a step that was completed before is skipped and says so.

    Raises:
        TrustlakeError: a step failed or was refused; the steps before it stand.
    """
    started = time.monotonic()
    files = chosen_files(arguments)
    loaded = load(files, arguments.set)
    steps = loaded.config.steps
    if not steps:
        raise ConfigError([f"{', '.join(files) or VARIABLE}: steps is empty; list the jobs to run"])
    graph = _chain(steps, files, arguments.set)
    record = RunRecord(f"{now():%Y%m%dT%H%M%S}-demo", "demo", "", now(), {})
    folder = _beside_the_lake(loaded.config) / "runs" / record.run_id
    folder.mkdir(parents=True, exist_ok=True)
    session = InSession(folder, aloud=True)

    def changed(name: str) -> None:
        if record.tasks[name].state is State.RUNNING:
            number = list(record.tasks).index(name)
            print(f"[{number + 1}/{len(steps)}] {steps[number]}", file=sys.stderr, flush=True)

    machine = Machine(session.carry_out, 1, 0.0, stop=session.stop)
    with PeakMemory() as memory:
        if not Runner(graph, record, values(record, {}), machine, changed).run():
            failed = next(name for name, task in record.tasks.items() if task.state.is_failure)
            raise session.mistake or TrustlakeError(f"{failed} failed; see {folder / failed}.log")
        table = quality_table(loaded)
    print(summary(session.finished, loaded.config))
    if table:
        print(table)
    if all(one.was_done for one in session.finished):
        print("every step was completed before: no table was changed")
    print(f"{time.monotonic() - started:.0f} s, peak memory {memory.peak_bytes / 2**30:.1f} GiB")


def _beside_the_lake(config: Config) -> Path:
    root = config.lake.root
    return Path(root).parent if root and "://" not in root else _ELSEWHERE


def _chain(steps: Sequence[str], files: Sequence[str], settings: Sequence[str]) -> Node:
    """A job of a task for each step, which waits for the one before."""
    tasks: list[dict[str, object]] = []
    for number, step in enumerate(steps, start=1):
        name, *arguments = shlex.split(step)
        try:
            job_named(name)
        except ConfigError as error:
            raise ConfigError([f"steps names {name!r}, which is no job"]) from error
        config = [part for file in files for part in ("--config", file)]
        config += [part for one in settings for part in ("--set", one)]
        tasks.append(
            {
                "task_key": f"{number}_{name}",
                "depends_on": [{"task_key": task["task_key"]} for task in tasks[-1:]],
                "python_wheel_task": {"entry_point": name, "parameters": [*arguments, *config]},
            }
        )
    return Node.made({"tasks": tasks}, "steps")
