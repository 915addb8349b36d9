"""``trustlake run``: a workflow of databricks.yml on this machine, task by task as a workspace would."""

from __future__ import annotations

import argparse
import os
import sysconfig
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from jobs.arguments import instant
from jobs.job import now
from lake.errors import ConfigError, TrustlakeError
from operations.workflows.bundle import Bundle
from operations.workflows.bundle_arguments import add_bundle_arguments, bundle_of, job_of, pairs
from operations.workflows.in_session import InSession
from operations.workflows.local_places import local_arguments
from operations.workflows.node import Node
from operations.workflows.parameters import defaults_of
from operations.workflows.processes import carried_out
from operations.workflows.progress import Progress
from operations.workflows.run_if import State
from operations.workflows.run_record import RunRecord
from operations.workflows.runner import Machine, Runner, check_runnable, values

_PROCESS, _SESSION = "process", "session"
# Seconds. A workspace waits minutes for another machine before it tries again; here it is the same one.
_LONGEST_WAIT = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake run``."""
    parser.add_argument("workflow", metavar="WORKFLOW", help="a job of databricks.yml; see trustlake list")
    add_bundle_arguments(parser, default_target="the default one of the file")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the job"
    )
    parser.add_argument("--at", type=instant, metavar="INSTANT", help="as if it began then (default: now)")
    parser.add_argument("--home", type=Path, help="for all that is stored (default: .trustlake/TARGET)")
    parser.add_argument("--master", help="Spark's master (default: as configured)")
    parser.add_argument(
        "--isolation",
        choices=[_PROCESS, _SESSION],
        default=_PROCESS,
        metavar="OF",
        help=f"one {_PROCESS} a task, or one {_SESSION} for all",
    )
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--parallel",
        type=int,
        default=max(1, cores // 2),
        metavar="N",
        help="tasks at once (default: cores / 2)",
    )
    parser.add_argument("--repair", metavar="RUN", help="go on with it: again what did not succeed")


def run(arguments: argparse.Namespace) -> None:
    """Run the workflow.

    Raises:
        TrustlakeError: a task that no other depends on failed; the message names its log.
    """
    bundle = bundle_of(arguments)
    job = job_of(bundle, arguments.workflow)
    check_runnable(arguments.workflow, job)
    home = (arguments.home or Path(".trustlake") / bundle.target).resolve()
    runs = home / "runs"
    record = _record(arguments, bundle, job, runs)
    folder = runs / record.run_id
    progress = Progress(record, [task.at("task_key").text for task in job.at("tasks").items])

    def changed(name: str) -> None:
        record.save(folder)
        progress.show(name)

    machine = _machine(arguments, folder, local_arguments(home, arguments.master))
    print(f"{arguments.workflow} as {bundle.target}, run {record.run_id}; logs: {folder}")
    succeeded = Runner(job, record, values(record, defaults_of(job)), machine, changed).run()
    record.save(folder)
    if not progress.stays:
        print(progress.table())
    if not succeeded:
        failed = next(
            name for name, task in record.tasks.items() if task.state in {State.FAILED, State.TIMED_OUT}
        )
        reason = record.tasks[failed].error or f"see {folder / failed}.log"
        raise TrustlakeError(
            f"{arguments.workflow}: task {failed} {record.tasks[failed].state}: {reason}; when it is mended, go "
            f"on with --repair {record.run_id}"
        )


def _machine(arguments: argparse.Namespace, folder: Path, local: Sequence[str]) -> Machine:
    if arguments.isolation == _SESSION:
        session = InSession(folder, local)
        return Machine(session.carry_out, 1, _LONGEST_WAIT, session.stop)
    # A terminal interrupts the processes too, for they are in its group.
    return Machine(
        partial(_in_process, folder, local), max(1, arguments.parallel), _LONGEST_WAIT, stop=lambda: None
    )


def _record(arguments: argparse.Namespace, bundle: Bundle, job: Node, runs: Path) -> RunRecord:
    given = pairs(arguments.param, "--param", "day=2026-03-01")
    unknown = [name for name in given if name not in defaults_of(job)]
    if unknown:
        there = ", ".join(defaults_of(job)) or "none"
        raise ConfigError(
            [f"--param {', '.join(unknown)}: {arguments.workflow} has no such parameter; there are {there}"]
        )
    if arguments.repair is None:
        at = arguments.at or now()
        run_id = f"{now():%Y%m%dT%H%M%S}-{arguments.workflow}"
        return RunRecord(run_id, arguments.workflow, bundle.target, at, given)
    if given or arguments.at:
        raise ConfigError(
            ["--repair goes on with the parameters and the instant of the run; leave out --param and --at"]
        )
    record = RunRecord.load(runs / arguments.repair)
    if (record.job, record.target) != (arguments.workflow, bundle.target):
        raise ConfigError([f"run {record.run_id} is of {record.job} as {record.target}; name these"])
    record.reset_failed()
    return record


def _in_process(
    folder: Path, local: Sequence[str], entry: str, argv: Sequence[str], name: str, seconds: float | None
) -> int:
    """Run the console command of the installed package."""
    command = Path(sysconfig.get_path("scripts")) / entry
    if not command.is_file():
        raise ValueError(f"{command} is not there; install the package: pip install .")
    return carried_out([str(command), *argv, *local], folder / f"{name}.log", {}, seconds)
