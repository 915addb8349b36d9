"""Runs of a job's graph on this machine, against the rules read one task after the other."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from lake.errors import ConfigError
from operations.cli import main
from operations.workflows.bundle import FILE
from operations.workflows.node import Node
from operations.workflows.processes import TooLongError, carried_out
from operations.workflows.run_if import RULES, State, decided
from operations.workflows.run_record import RunRecord, TaskRecord
from operations.workflows.runner import Machine, Runner, check_runnable, values

AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)


def node(value: object) -> Node:
    return Node.made(value, "here:1")


def wheel(key: str, *needs: str, **more: object) -> dict[str, object]:
    """A task that runs a command of its own name."""
    after = [{"task_key": name} for name in needs]
    return {"task_key": key, "depends_on": after, "python_wheel_task": {"entry_point": key}, **more}


class Commands:
    """What carries commands out: each does what it is told, and says that it was called."""

    def __init__(self, does: Callable[[str, Sequence[str]], int] = lambda *_: 0) -> None:
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.at_once, self.most_at_once = 0, 0
        self._does, self._lock = does, threading.Lock()

    def __call__(self, entry: str, argv: Sequence[str], name: str, _: float | None) -> int:
        with self._lock:
            self.calls.append((name, tuple(argv)))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._does(entry, argv)
        finally:
            with self._lock:
                self.at_once -= 1


def ran(
    job: Mapping[str, Any], commands: Commands, record: RunRecord | None = None, parallel: int = 2
) -> tuple[bool, RunRecord]:
    record = record or RunRecord("run", "job", "dev", AT, {})
    whole = node(dict(job))
    defaults = {item["name"]: item["default"] for item in job.get("parameters", [])}
    machine = Machine(commands, parallel, 0.0, stop=lambda: None)
    runner = Runner(whole, record, values(record, defaults), machine, lambda _: None)
    return runner.run(), record


def needs_of(task: Mapping[str, Any]) -> list[str]:
    return [edge["task_key"] for edge in task["depends_on"]]


def slept(seconds: float) -> int:
    time.sleep(seconds)
    return 0


def states(record: RunRecord) -> dict[str, str]:
    return {name: str(task.state) for name, task in record.tasks.items()}


S, F, X, U = State.SUCCESS, State.FAILED, State.EXCLUDED, State.UPSTREAM_FAILED


@pytest.mark.parametrize(
    ("rule", "ended", "expected"),
    [
        ("", [], State.RUNNING),
        ("", [S, S], State.RUNNING),
        ("", [S, F], U),
        ("", [S, U], U),
        ("", [S, X], State.RUNNING),
        ("", [X, X], X),
        ("ALL_DONE", [F, U], State.RUNNING),
        ("ALL_DONE", [X], X),
        ("NONE_FAILED", [S, X], State.RUNNING),
        ("NONE_FAILED", [State.TIMED_OUT, S], U),
        ("AT_LEAST_ONE_SUCCESS", [F, S], State.RUNNING),
        ("AT_LEAST_ONE_SUCCESS", [F, U], U),
        ("AT_LEAST_ONE_FAILED", [S, F], State.RUNNING),
        ("AT_LEAST_ONE_FAILED", [S, X], X),
        ("ALL_FAILED", [F, U], State.RUNNING),
        ("ALL_FAILED", [F, S], X),
    ],
)
def test_whether_a_task_runs(rule: str, ended: list[State], expected: State) -> None:
    assert decided(rule, ended) is expected


def test_a_rule_of_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="run_if is 'SOME'; there are ALL_DONE, ALL_FAILED"):
        decided("SOME", [])


def test_random_graphs_end_as_the_rules_say_one_task_after_the_other() -> None:
    dice = random.Random(5)
    for _ in range(200):
        names = [f"t{number}" for number in range(dice.randrange(1, 9))]
        tasks, fails = [], {name for name in names if dice.random() < 0.3}
        for number, name in enumerate(names):
            needs = dice.sample(names[:number], dice.randrange(min(number, 3) + 1))
            tasks.append(wheel(name, *needs, run_if=dice.choice(sorted(RULES))))
        expected: dict[str, State] = {}
        for task in tasks:
            name = str(task["task_key"])
            state = decided(str(task["run_if"]), [expected[need] for need in needs_of(task)])
            expected[name] = state if state is not State.RUNNING else F if name in fails else S
        dice.shuffle(tasks)
        commands = Commands(lambda entry, _, fails=fails: int(entry in fails))  # type: ignore[misc]  # bound early
        succeeded, record = ran({"tasks": tasks}, commands, parallel=3)
        assert {name: task.state for name, task in record.tasks.items()} == expected
        called = Counter(name for name, _ in commands.calls)
        assert called == Counter(name for name, state in expected.items() if state in {S, F})
        needed = {need for task in tasks for need in needs_of(task)}
        assert succeeded == (not any(expected[name].is_failure for name in set(names) - needed))


def test_tasks_that_wait_for_nothing_run_at_once_and_others_in_their_order() -> None:
    commands = Commands(lambda *_: slept(0.05))
    tasks = [wheel("last", "a", "b", "c"), wheel("a"), wheel("b"), wheel("c")]
    assert ran({"tasks": tasks}, commands, parallel=2)[0]
    assert commands.most_at_once == 2
    assert commands.calls[-1][0] == "last"


def test_a_task_is_tried_again_as_often_as_it_may() -> None:
    left = {"flaky": 2, "broken": 9}

    def does(entry: str, _: Sequence[str]) -> int:
        left[entry] -= 1
        return int(left[entry] >= 0)

    tasks = [wheel("flaky", max_retries=2), wheel("broken", max_retries=1)]
    succeeded, record = ran({"tasks": tasks}, Commands(does))
    assert not succeeded
    assert states(record) == {"flaky": "success", "broken": "failed"}
    assert (record.tasks["flaky"].attempts, record.tasks["broken"].attempts) == (3, 2)


def test_a_condition_lets_one_of_its_branches_run() -> None:
    def job(op: str, left: str, right: str) -> dict[str, object]:
        condition = {"task_key": "if", "condition_task": {"op": op, "left": left, "right": right}}
        branches = [
            wheel(name, depends_on=[{"task_key": "if", "outcome": name}]) for name in ("true", "false")
        ]
        return {"tasks": [condition, *branches, wheel("after", "true", "false", run_if="NONE_FAILED")]}

    for op, left, right, taken in (
        ("EQUAL_TO", "{{job.parameters.p}}", "given", "true"),
        ("NOT_EQUAL", "{{job.parameters.p}}", "given", "false"),
        ("GREATER_THAN", "10", "9", "true"),
        ("LESS_THAN_OR_EQUAL", "10", "9", "false"),
    ):
        commands = Commands()
        record = RunRecord("run", "job", "dev", AT, {"p": "given"})
        succeeded, _ = ran(
            job(op, left, right) | {"parameters": [{"name": "p", "default": ""}]}, commands, record
        )
        assert succeeded
        assert [name for name, _ in commands.calls] == [taken, "after"], op


def test_a_task_for_each_input_is_told_its_input() -> None:
    loop = {"inputs": '["a", 2, {"k": 1}]', "concurrency": 2, "task": wheel("one_iteration")}
    loop["task"]["python_wheel_task"]["parameters"] = ["--log={{input}}"]  # type: ignore[index]  # built above
    commands = Commands(lambda _, argv: int(argv == ["--log=2"]))
    succeeded, record = ran({"tasks": [{"task_key": "each", "for_each_task": loop}]}, commands)
    assert not succeeded
    assert sorted(commands.calls) == [
        ("each.0", ("--log=a",)),
        ("each.1", ("--log=2",)),
        ("each.2", ('--log={"k": 1}',)),
    ]
    assert states(record) == {"each": "failed"}


def test_dynamic_values_are_those_of_the_instant_that_the_run_stands_for() -> None:
    task = wheel("a")
    task["python_wheel_task"] = {
        "entry_point": "a",
        "parameters": [
            "--from={{job.parameters.day}}-1d",
            "{{job.run_id}}",
            "{{job.start_time.iso_weekday}}",
        ],
    }
    parameters = [{"name": "day", "default": "{{job.trigger.time.iso_date}}"}]
    commands = Commands()
    ran({"tasks": [task], "parameters": parameters}, commands)
    assert commands.calls == [("a", ("--from=2026-03-01-1d", "run", "7"))]


def test_a_value_that_is_none_fails_its_task_and_says_so() -> None:
    task = {"task_key": "if", "condition_task": {"op": "GREATER_THAN", "left": "many", "right": "1"}}
    succeeded, record = ran({"tasks": [task, wheel("other")]}, Commands())
    assert not succeeded
    assert states(record) == {"if": "failed", "other": "success"}
    assert "many" in str(record.tasks["if"].error)


def test_a_repair_does_again_what_did_not_succeed_and_nothing_else(tmp_path: Path) -> None:
    tasks = [wheel("a"), wheel("b", "a"), wheel("c", "b"), wheel("d", "a")]
    _, record = ran({"tasks": tasks}, Commands(lambda entry, _: int(entry == "b")))
    assert states(record) == {"a": "success", "b": "failed", "c": "upstream failed", "d": "success"}
    record.save(tmp_path / "run")
    loaded = RunRecord.load(tmp_path / "run")
    assert loaded == record
    assert loaded.reset_failed() == ["b", "c"]
    commands = Commands()
    assert ran({"tasks": tasks}, commands, loaded)[0]
    assert [name for name, _ in commands.calls] == ["b", "c"]
    with pytest.raises(ConfigError, match="no such run; there are run"):
        RunRecord.load(tmp_path / "other")


def test_a_job_runs_no_longer_than_it_may() -> None:
    commands = Commands(lambda *_: slept(0.3))
    tasks = [wheel("a"), wheel("b", "a", max_retries=3)]
    succeeded, record = ran({"tasks": tasks, "timeout_seconds": 0.2}, commands)
    assert not succeeded
    assert states(record) == {"a": "success", "b": "timed out"}


def test_a_command_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! > {child}; wait"
    with pytest.raises(TooLongError):
        carried_out(["sh", "-c", script], tmp_path / "log", {}, 0.5)
    assert not psutil.pid_exists(int(child.read_text()))
    assert carried_out(["sh", "-c", "echo $WHAT; exit 3"], tmp_path / "log", {"WHAT": "said"}, None) == 3
    assert (tmp_path / "log").read_text().endswith("said\n")


def test_what_only_a_workspace_can_run_is_refused() -> None:
    job = node({"tasks": [wheel("a"), {"task_key": "b", "sql_task": {"warehouse_id": "w"}}]})
    with pytest.raises(ConfigError, match="here:1: task b of j is none of python_wheel_task, condition_task"):
        check_runnable("j", job)


@pytest.mark.parametrize(
    ("tasks", "says"),
    [
        ([wheel("a", "b"), wheel("b", "a")], "tasks of jobs.j wait for each other"),
        ([wheel("a", "z")], "task a depends on z, which is no task of the job; there are a"),
        ([wheel("a"), wheel("a")], "jobs.j has 2 times task_key a"),
        ([wheel("a", run_if="SOMETIMES")], "run_if is 'SOMETIMES'; there are ALL_DONE"),
        (
            [{"task_key": "a", "condition_task": {"op": "LIKE"}}],
            "op is 'LIKE'; there are EQUAL_TO, NOT_EQUAL",
        ),
    ],
)
def test_a_graph_that_does_not_hang_together_is_refused(tasks: list[object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_runnable("j", node({"tasks": tasks}))


def test_an_interrupted_run_tries_nothing_again() -> None:
    both = threading.Barrier(2)

    def does(entry: str, _: Sequence[str]) -> int:
        both.wait(5)
        if entry == "interrupted":
            raise KeyboardInterrupt
        return slept(0.2) + 1

    commands = Commands(does)
    with pytest.raises(KeyboardInterrupt):
        ran(
            {"tasks": [wheel("interrupted"), wheel("other", max_retries=5), wheel("after", "other")]},
            commands,
        )
    assert sorted(name for name, _ in commands.calls) == ["interrupted", "other"]


BUNDLE = {
    "bundle": {"name": "small"},
    "targets": {"dev": {"mode": "development", "default": True}},
    "resources": {
        "jobs": {
            "two": {
                "name": "two",
                "parameters": [{"name": "what", "default": "--no-such-argument"}],
                "tasks": [
                    {
                        "task_key": "good",
                        "python_wheel_task": {"entry_point": "simulate_logs", "parameters": ["--help"]},
                    },
                    {
                        "task_key": "bad",
                        "depends_on": [{"task_key": "good"}],
                        "python_wheel_task": {
                            "entry_point": "simulate_logs",
                            "parameters": ["{{job.parameters.what}}"],
                        },
                    },
                ],
            }
        }
    },
}


@pytest.mark.parametrize("isolation", ["process", "session"])
def test_a_workflow_runs_its_commands_and_goes_on_after_a_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], isolation: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(yaml.safe_dump(BUNDLE), encoding="utf-8")
    assert main(["run", "two", "--home", "home", "--isolation", isolation]) == 1
    told = capsys.readouterr()
    (folder,) = (tmp_path / "home" / "runs").iterdir()
    record = RunRecord.load(folder)
    assert states(record) == {"good": "success", "bad": "failed"}
    assert "unrecognized arguments: --no-such-argument" in (folder / "bad.log").read_text()
    assert f"two: task bad failed: see {folder / 'bad'}.log" in told.err
    assert "bad   failed   1" in told.out
    record.tasks["bad"] = TaskRecord(State.SUCCESS, 1)
    record.save(folder)
    assert main(["run", "two", "--home", "home", "--repair", folder.name]) == 0
    assert main(["run", "two", "--home", "home", "--repair", folder.name, "--param", "what=x"]) == 2
    assert "leave out --param and --at" in capsys.readouterr().err


def test_workflows_that_are_none_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(yaml.safe_dump(BUNDLE), encoding="utf-8")
    for argv, says in (
        (["run", "three"], "there is no workflow 'three'; there are two"),
        (["run", "two", "--param", "day=1"], "--param day: two has no such parameter; there are what"),
        (["run", "two", "--param", "day"], "--param day: expected a name and its value"),
        (["run", "two", "--repair", "run"], "no such run; there are none"),
        (["run", "two", "--target", "prod"], "there is no target 'prod'; there are dev"),
    ):
        assert main(argv) == 2
        assert says in capsys.readouterr().err
