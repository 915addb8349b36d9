"""Runs the graph of a job here: dependencies, conditions, iterations, retries and timeouts as a workspace would."""

from __future__ import annotations

import json
import operator
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from lake.errors import ConfigError
from operations.workflows.checks.graph import loose_ends
from operations.workflows.dynamic import filled, times
from operations.workflows.node import Node
from operations.workflows.processes import TooLongError
from operations.workflows.run_if import RULES, State, decided
from operations.workflows.run_record import RunRecord, TaskRecord

# A command with these arguments, its name for the log, and the seconds it may take; returns the exit code.
CarryOut = Callable[[str, Sequence[str], str, float | None], int]

# Texts, and numbers.
_COMPARED = {"EQUAL_TO": operator.eq, "NOT_EQUAL": operator.ne}
_ORDERED = {
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_OR_EQUAL": operator.le,
}


@dataclass(frozen=True, slots=True)
class Machine:
    """How tasks are carried out on this machine.

    Attributes:
        carry_out: runs a command.
        parallel: how many tasks run at once.
        longest_wait: seconds; a workspace may wait minutes before it tries again, where a machine was lost.
        stop: lets the commands that run end soon, when the run is interrupted.
    """

    carry_out: CarryOut
    parallel: int
    longest_wait: float
    stop: Callable[[], None]


class Runner:
    """One run of a job.

    Args:
        job: a job of a resolved bundle.
        record: what is known of the run; tasks that ended there stay as they are.
        value_of: the dynamic values of the run.
        machine: what carries tasks out.
        changed: called whenever a task changes its state.
    """

    def __init__(
        self,
        job: Node,
        record: RunRecord,
        value_of: Callable[[str], str | None],
        machine: Machine,
        changed: Callable[[str], None],
    ) -> None:
        self._tasks = {task.at("task_key").text: task for task in job.at("tasks").items}
        self._record = record
        self._value_of = value_of
        self._machine = machine
        self._changed = changed
        self._deadline = _seconds(job)
        self._is_stopped = threading.Event()

    def run(self) -> bool:
        """Run what is pending; True if every task that no other depends on succeeded or was excluded."""
        for name in self._tasks:
            self._record.tasks.setdefault(name, TaskRecord())
        began = time.monotonic()
        running: dict[Future[State], str] = {}
        with ThreadPoolExecutor(self._machine.parallel) as pool:
            try:
                while True:
                    for name in self._begin_ready():
                        running[pool.submit(self._carried_out, name, began)] = name
                    if not running:
                        break
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        self._set(running.pop(done), done.result())
            except KeyboardInterrupt:
                self._is_stopped.set()  # and what runs is not to be tried again
                self._machine.stop()
                raise
        needed = {name for task in self._tasks.values() for name in _needs(task)}
        last = [self._record.tasks[name].state for name in self._tasks if name not in needed]
        return not any(state.is_failure for state in last)

    def _begin_ready(self) -> list[str]:
        """Decide on every task whose dependencies have ended; returns those that begin now."""
        begun, is_settled = [], False
        while not is_settled:
            is_settled = True
            for name, task in self._tasks.items():
                if self._record.tasks[name].state is not State.PENDING:
                    continue
                ended = [self._seen_from(edge) for edge in task.at("depends_on").items]
                if all(state.is_final for state in ended):
                    state = decided(task.at("run_if").text, ended)
                    self._set(name, state)
                    is_settled = False
                    begun += [name] if state is State.RUNNING else []
        return begun

    def _seen_from(self, edge: Node) -> State:
        """How a dependency looks to the task that has it: a condition whose other outcome it follows is excluded."""
        record = self._record.tasks[edge.at("task_key").text]
        wanted = edge.at("outcome").value
        is_other = record.state is State.SUCCESS and wanted is not None and record.outcome != wanted
        return State.EXCLUDED if is_other else record.state

    def _set(self, name: str, state: State) -> None:
        self._record.tasks[name].state = state
        self._changed(name)

    def _carried_out(self, name: str, began: float) -> State:
        """Try a task until it succeeds or its retries are used up."""
        task, record = self._tasks[name], self._record.tasks[name]
        started, retries = time.monotonic(), int(task.at("max_retries").text or 0)
        pause = min(int(task.at("min_retry_interval_millis").text or 0) / 1000, self._machine.longest_wait)
        state = State.FAILED
        while record.attempts <= retries:
            record.attempts += 1
            state = self._tried(name, task, began)
            record.seconds = time.monotonic() - started
            is_late = state is State.TIMED_OUT and task.at("retry_on_timeout").value is not True
            if state is State.SUCCESS or is_late or record.attempts > retries or self._is_stopped.wait(pause):
                break
        return state

    def _tried(self, name: str, task: Node, began: float) -> State:
        left = None if self._deadline is None else self._deadline - (time.monotonic() - began)
        limits = [limit for limit in (_seconds(task), left) if limit is not None]
        seconds = min(limits) if limits else None
        if seconds is not None and seconds <= 0:
            return State.TIMED_OUT
        try:
            return State.SUCCESS if self._worked(name, task, seconds) else State.FAILED
        except TooLongError as error:
            self._record.tasks[name].error = str(error)
            return State.TIMED_OUT
        except ValueError as error:
            # A dynamic value, an input or a number that is none: known only now.
            self._record.tasks[name].error = str(error)
            return State.FAILED

    def _worked(self, name: str, task: Node, seconds: float | None) -> bool:
        if task.at("condition_task").fields:
            self._record.tasks[name].outcome = str(self._holds(task.at("condition_task"))).lower()
            return True
        if task.at("for_each_task").fields:
            return self._iterated(name, task.at("for_each_task"), seconds)
        return self._commanded(name, task, self._value_of, seconds)

    def _holds(self, condition: Node) -> bool:
        left, right = (filled(condition.at(side).text, self._value_of) for side in ("left", "right"))
        rule = condition.at("op").text
        if rule in _COMPARED:
            return bool(_COMPARED[rule](left, right))
        return bool(_ORDERED[rule](float(left), float(right)))

    def _iterated(self, name: str, loop: Node, seconds: float | None) -> bool:
        """A task for each input, some at once; all are tried, whatever becomes of the others."""
        inputs = json.loads(filled(loop.at("inputs").text, self._value_of))

        def value_of(text: str) -> Callable[[str], str | None]:
            return lambda asked: text if asked == "input" else self._value_of(asked)

        pieces = [item if isinstance(item, str) else json.dumps(item) for item in inputs]
        with ThreadPoolExecutor(int(loop.at("concurrency").text or 1)) as pool:
            done = [
                pool.submit(self._commanded, f"{name}.{number}", loop.at("task"), value_of(piece), seconds)
                for number, piece in enumerate(pieces)
            ]
        return all(future.result() for future in done)

    def _commanded(
        self, name: str, task: Node, value_of: Callable[[str], str | None], seconds: float | None
    ) -> bool:
        wheel = task.at("python_wheel_task")
        argv = [filled(item.text, value_of) for item in wheel.at("parameters").items]
        return self._machine.carry_out(wheel.at("entry_point").text, argv, name, seconds) == 0


def check_runnable(key: str, job: Node) -> None:
    """Refuse a job whose tasks do not hang together, or that only a workspace can carry out.

    Raises:
        ConfigError: with each mistake.
    """
    here = ("python_wheel_task", "condition_task")
    mistakes = list(loose_ends(key, job))
    for task in job.at("tasks").items:
        name, rule, op = task.at("task_key").text, task.at("run_if"), task.at("condition_task", "op")
        carried = task.at("for_each_task", "task") if task.at("for_each_task").fields else task
        if not any(carried.at(kind).fields for kind in here):
            mistakes.append(
                f"{task.origin}: task {name} of {key} is none of {', '.join(here)}, and cannot run here"
            )
        if rule.text and rule.text not in RULES:
            mistakes.append(f"{rule.origin}: run_if is {rule.text!r}; there are {', '.join(sorted(RULES))}")
        if op.text and op.text not in {*_COMPARED, *_ORDERED}:
            mistakes.append(f"{op.origin}: op is {op.text!r}; there are {', '.join([*_COMPARED, *_ORDERED])}")
    if mistakes:
        raise ConfigError(mistakes)


def values(record: RunRecord, defaults: Mapping[str, str]) -> Callable[[str], str | None]:
    """The dynamic values of a run, by their names; None for one that no workspace knows.

    Args:
        record: the run, whose parameters win.
        defaults: those of the job's parameters.
    """
    known = {
        "job.id": record.job,
        "job.name": record.job,
        "job.run_id": record.run_id,
        "job.repair_count": "0",
        "job.trigger.type": "manual",
        **{
            f"job.{moment}.{part}": text
            for moment in ("start_time", "trigger.time")
            for part, text in times(record.at).items()
        },
    }
    for name, default in (dict(defaults) | dict(record.parameters)).items():
        known[f"job.parameters.{name}"] = filled(default, dict(known).get)
    return known.get


def _needs(task: Node) -> list[str]:
    return [edge.at("task_key").text for edge in task.at("depends_on").items]


def _seconds(node: Node) -> float | None:
    return float(node.at("timeout_seconds").text or 0) or None
