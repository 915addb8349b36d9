"""The life of a job: skip what was done, hold the lock, leave a row in ``runs``, end with the right exit code."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import Row

from jobs import score_events
from jobs.job import Context, Plan, console_command, run_job
from lake.described import described
from lake.errors import ConfigError, LakeVersionError, LockedError, RefusedError, TrustlakeError
from lake.locks import LOCKS, Claim, held
from lake.runs import RUNS, Outcome
from lake.tables import TableSpec

THINGS = TableSpec("things", "One row per thing", described("id long: Id"))


class CountThings:
    """Writes one table, or fails as told."""

    NAME = "count_things"
    ABOUT = "Count things."
    EXAMPLE = "count_things --size 3"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--size", type=int, default=3)
        parser.add_argument("--fail", choices=["refused", "failed", "unplanned"])

    @staticmethod
    def plan(context: Context) -> Plan:
        if context.arguments.fail == "unplanned":
            raise RefusedError("these things were changed")
        return Plan(
            slice="all things", holds="things", inputs={"seed": 7}, work=lambda key: _count(context, key)
        )


def _count(context: Context, _: str) -> Outcome:
    if context.arguments.fail == "refused":
        raise RefusedError("too few things")
    if context.arguments.fail == "failed":
        raise TrustlakeError("no things at all")
    context.lake.ensure(THINGS)
    context.lake.replace(THINGS.name, context.spark.range(context.arguments.size), where="true")
    return Outcome(rows_out=context.arguments.size, result="counted", outputs={"things": 1})


def rows(project: Any) -> list[Row]:
    found: list[Row] = project.lake.read(RUNS.name).orderBy("finished_at").collect()
    return found


def test_a_done_run_is_skipped_until_asked_to_replace_it_or_to_do_something_else(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--config", project.config]
    assert run_job(CountThings, argv).was_done is False
    (done,) = rows(project)
    assert (done["job"], done["slice"], done["state"], done["error"]) == (
        "count_things",
        "all things",
        "done",
        None,
    )
    assert (done["rows_out"], done["result"], done["inputs"], done["outputs"]) == (
        3, "counted", {"seed": 7}, {"things": 1},
    )  # fmt: skip
    assert done["started_at"] <= done["finished_at"]
    told = rf"done: counted, rows out 3, things version 1, \d+ s, run_key {done['run_key']}\n$"
    assert re.search(told, capsys.readouterr().err)

    before = project.versions()
    skipped = run_job(CountThings, [*argv, "--log-format", "json"])
    assert (skipped.was_done, skipped.outcome.rows_out) == (True, 3)
    assert project.versions() == before
    (said,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert said["line"] == f"nothing to do: run_key {done['run_key']} is completed (counted)"
    assert (said["job"], said["level"]) == ("trustlake.count_things", "INFO")

    assert run_job(CountThings, [*argv, "--replace"]).was_done is False
    assert project.lake.version("things") == before["things"] + 1
    assert run_job(CountThings, [*argv, "--size", "4"]).was_done is False
    keys = [row["run_key"] for row in rows(project)]
    assert keys[0] == keys[1] != keys[2]


def test_a_run_that_fails_leaves_its_error_and_no_lock_and_is_not_skipped(shared_project: Any) -> None:
    argv = ["--config", shared_project.config, "--fail"]
    with pytest.raises(RefusedError, match="too few things"):
        run_job(CountThings, [*argv, "refused"])
    for _ in range(2):
        with pytest.raises(TrustlakeError, match="no things at all"):
            run_job(CountThings, [*argv, "failed"])
    assert [(row["state"], row["error"]) for row in rows(shared_project)] == [
        ("refused", "too few things"),
        ("failed", "no things at all"),
        ("failed", "no things at all"),
    ]
    assert shared_project.lake.read(LOCKS.name).count() == 0


def test_a_refusal_before_there_is_anything_to_do_leaves_a_row_too(project: Any) -> None:
    with pytest.raises(RefusedError, match="these things were changed"):
        run_job(CountThings, ["--config", project.config, "--fail", "unplanned"])
    (row,) = rows(project)
    assert (row["slice"], row["state"], row["error"]) == (
        "not planned",
        "refused",
        "these things were changed",
    )


def test_a_second_copy_is_refused_with_the_holders_name(shared_project: Any) -> None:
    lake = shared_project.lake
    with (
        held(lake, Claim("count_things", "things"), lambda: datetime.now(UTC)),
        pytest.raises(
            LockedError, match=r"count_things things is being worked on by .* \(run run-1\); wait for it"
        ),
    ):
        run_job(CountThings, ["--config", shared_project.config, "--size", "5"])


def test_a_lake_of_a_newer_version_is_refused_before_anything_is_written(project: Any) -> None:
    project.lake.ensure(RUNS)
    project.spark.sql(
        f"ALTER TABLE {project.lake.place('runs')} SET TBLPROPERTIES ('trustlake.lakeFormat' = '2')"
    )
    before = project.versions()
    with pytest.raises(
        LakeVersionError, match="has lake format 2, this trustlake knows 1; upgrade trustlake"
    ):
        run_job(CountThings, ["--config", project.config])
    assert project.versions() == before


def test_a_definition_that_changes_makes_another_run(shared_project: Any) -> None:
    first = shared_project.context(CountThings).definitions.hash
    shared_project.definitions("days(1)]", "days(2)]")
    second = shared_project.context(CountThings).definitions.hash
    shared_project.definitions("matures_after=timedelta(days=1)", "matures_after=timedelta(days=2)")
    third = shared_project.context(CountThings).definitions.hash
    shared_project.definitions("from datetime", "\n\nfrom datetime")
    assert len({first, second, third}) == 3
    assert shared_project.context(CountThings).definitions.hash == first


def ending_in(error: Exception | None) -> Callable[[Sequence[str] | None], None]:
    def main(_: Sequence[str] | None) -> None:
        if error is not None:
            raise error

    return main


@pytest.mark.parametrize(
    ("error", "options", "code"),
    [
        (TrustlakeError("no disk"), [], 1),
        (ConfigError(["a.yml:1: unknown key x"]), [], 2),
        (RefusedError("worse than the champion"), [], 3),
        (RefusedError("worse than the champion"), ["--refusal-ok"], 0),
        (TrustlakeError("no disk"), ["--refusal-ok"], 1),
    ],
)
def test_a_users_mistake_is_one_message_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    options: list[str],
    code: int,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/some/where/count_things", *options])
    with pytest.raises(SystemExit) as left:
        console_command(ending_in(error))()
    assert left.value.code == code
    assert capsys.readouterr().err == f"count_things: {error}\n"


def test_a_command_that_succeeds_just_returns_and_an_error_of_ours_keeps_its_traceback() -> None:
    console_command(ending_in(None))()
    with pytest.raises(ZeroDivisionError):
        console_command(ending_in(ZeroDivisionError()))()


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--from", "2026-03-02", "--to", "2026-03-02"], "--from 2026-03-02 is not before --to 2026-03-02"),
        (["--from", "yesterday", "--to", "2026-03-02"], "'yesterday' is no day; write 2018-08-08"),
        (["--from", "2026-03-02"], "the following arguments are required: --to"),
        (["--from", "2026-03-01", "--to", "2026-03-02", "--wait", "long"], "expected a number and a unit"),
        (["--from", "2026-03-01", "--to", "2026-03-02", "--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_wrong_usage_ends_with_two(capsys: pytest.CaptureFixture[str], argv: list[str], text: str) -> None:
    with pytest.raises(SystemExit) as left:
        score_events.main(argv)
    assert left.value.code == 2
    assert text in capsys.readouterr().err
