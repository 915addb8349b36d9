"""The life of a job: check everything, skip what was done, hold the lock, work, and leave a row in ``runs``."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pyspark.sql import SparkSession

from jobs.arguments import base_parser, check_range
from jobs.configuration import Config, Loaded, decoded, places, read
from jobs.definitions import Definitions, load_definitions
from jobs.log import start_log, step_log
from jobs.mlflow_failures import mlflow_failures
from jobs.not_beside import check_beside
from jobs.session import build_session
from jobs.sql_mistakes import sql_mistakes
from lake.code_version import code_version
from lake.contracts import Contract, read_contracts
from lake.errors import ConfigError, RefusedError, TrustlakeError
from lake.hash_key import HashKey
from lake.locks import Claim, held
from lake.runs import DONE, FAILED, REFUSED, RUNS, Outcome, RunRow, completed, record, run_key
from lake.tables import CommitStamp, Lake

# What says how to run, not what to compute.
_NOT_IN_KEY = {"config", "set", "replace", "wait", "refusal_ok", "log_format"}


def now() -> datetime:
    """The wall clock, UTC. The only one of the platform."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """What a job works with."""

    spark: SparkSession
    lake: Lake
    loaded: Loaded
    contracts: Mapping[str, Contract]
    definitions: Definitions
    arguments: argparse.Namespace
    log: logging.Logger

    @property
    def config(self) -> Config:
        return self.loaded.config


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a job found to do.

    Attributes:
        slice: the part of the data it works on, for ``runs``.
        holds: what no other run of the job may work on meanwhile.
        inputs: versions of tables, or fingerprints of files, on which the result depends.
        work: does it, given the run's key.
    """

    slice: str
    holds: str
    inputs: Mapping[str, int | str]
    work: Callable[[str], Outcome]


# What stands in ``runs`` for a run that failed before it knew what to do.
_UNPLANNED = Plan(slice="not planned", holds="", inputs={}, work=lambda _: Outcome())


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a job ended: what it did, or what the run that completed the same key had done before."""

    job: str
    outcome: Outcome
    was_done: bool
    seconds: float


class Job(Protocol):
    """A module with these is a job."""

    NAME: str
    ABOUT: str
    EXAMPLE: str

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None: ...

    @staticmethod
    def plan(context: Context) -> Plan: ...


def run_job(job: type[Job], argv: Sequence[str] | None) -> Finished:
    """Run a job once.

    Raises:
        TrustlakeError: whatever a user can mend, in one clear line.
    """
    started = time.monotonic()
    arguments = parsed(job, argv)
    start_log(arguments.log_format)
    context = _context(job.NAME, arguments)
    check_beside(context.lake, job.NAME, now, wait=arguments.wait)
    with _failure_recorded(context, job.NAME, _UNPLANNED), sql_mistakes(), mlflow_failures():
        planned = job.plan(context)
    key = _key(job.NAME, arguments, planned, context)
    before = None if arguments.replace else completed(context.lake, key)
    if before is None:
        with held(context.lake, Claim(job.NAME, planned.holds), now, wait=arguments.wait):
            check_beside(context.lake, job.NAME, now)
            # The holder we waited for may just have done it.
            before = None if arguments.replace else completed(context.lake, key)
            if before is None:
                outcome = _work(job, context, planned, key)
                return Finished(
                    job=job.NAME, outcome=outcome, was_done=False, seconds=time.monotonic() - started
                )
    context.log.info(
        "nothing to do: run_key %s is completed%s", key, f" ({before.result})" if before.result else ""
    )
    return Finished(job=job.NAME, outcome=before, was_done=True, seconds=time.monotonic() - started)


def parsed(job: type[Job], argv: Sequence[str] | None) -> argparse.Namespace:
    """What the arguments of a job say; exits with wrong usage where they are none."""
    parser = base_parser(job.NAME, job.ABOUT, job.EXAMPLE)
    job.add_arguments(parser)
    arguments = parser.parse_args(argv)
    check_range(parser, arguments)
    return arguments


def _work(job: type[Job], context: Context, planned: Plan, key: str) -> Outcome:
    began = now()
    with _failure_recorded(context, job.NAME, planned), sql_mistakes(), mlflow_failures():
        outcome = planned.work(key)
    row = _row(context, job.NAME, planned, began, DONE)
    record(context.lake, row, outcome)
    _say(context.log, outcome, row.finished_at - began, key)
    return outcome


def _context(name: str, arguments: argparse.Namespace) -> Context:
    """Everything checked, then the session."""
    loaded, contracts, definitions = check(arguments.config, arguments.set)
    lake = open_lake(loaded, f"trustlake {name}", run_id=uuid.uuid4().hex[:12])
    return Context(lake.spark, lake, loaded, contracts, definitions, arguments, step_log(name))


def open_lake(loaded: Loaded, app_name: str, *, run_id: str = "") -> Lake:
    """The lake of a configuration, in this process's session; who only reads it needs no run.

    Raises:
        LakeVersionError: it was written by a newer version of trustlake.
    """
    spark = build_session(loaded.config.spark, app_name)
    stamp = CommitStamp(run_id=run_id, code_version=code_version(), config_hash=loaded.hash)
    lake = Lake(spark, loaded.config.lake, stamp, hash_key=HashKey.of_environment(os.environ))
    lake.check_format(RUNS.name)
    return lake


def check(
    paths: Sequence[str], settings: Sequence[str] = ()
) -> tuple[Loaded, Mapping[str, Contract], Definitions]:
    """Configuration (files, and settings over them), contracts and definitions, checked together.

    Raises:
        ConfigError: with the mistakes of all three.
    """
    document = read(paths, settings)
    mistakes: list[str] = []
    contracts = None
    with _noted(mistakes):
        loaded = decoded(document)
    named = places(document)
    if named is not None:
        with _noted(mistakes):
            contracts = read_contracts(named.contracts)
        with _noted(mistakes):
            definitions = load_definitions(named.definitions, contracts)
    if mistakes or contracts is None:
        raise ConfigError(mistakes)
    return loaded, contracts, definitions


@contextmanager
def _noted(mistakes: list[str]) -> Iterator[None]:
    """Go on after a mistake, to find the others."""
    try:
        yield
    except ConfigError as error:
        mistakes += error.mistakes


def console_command(main: Callable[[Sequence[str] | None], None]) -> Callable[[], None]:
    """A console command: the same job, with a user's mistakes as one line and an exit code instead of a traceback."""

    def run() -> None:
        try:
            main(None)
        except TrustlakeError as error:
            print(f"{sys.argv[0].rsplit('/', 1)[-1]}: {error}", file=sys.stderr)
            lenient = isinstance(error, RefusedError) and "--refusal-ok" in sys.argv
            sys.exit(0 if lenient else error.exit_code)

    return run


def _key(name: str, arguments: argparse.Namespace, planned: Plan, context: Context) -> str:
    told = {key: value for key, value in vars(arguments).items() if key not in _NOT_IN_KEY}
    contracts = hashlib.sha256(repr(sorted(context.contracts.items())).encode()).hexdigest()[:12]
    inputs = dict(planned.inputs) | {"contracts": contracts, "definitions": context.definitions.hash}
    return run_key(name, told, inputs, context.loaded.hash, code_version())


@contextmanager
def _failure_recorded(context: Context, job: str, planned: Plan) -> Iterator[None]:
    """Leave a row in ``runs`` where the body raises, whatever it raises."""
    began = now()
    try:
        yield
    except BaseException as error:
        state = REFUSED if isinstance(error, RefusedError) else FAILED
        record(context.lake, _row(context, job, planned, began, state, str(error)[:2000]), Outcome())
        raise


def _row(
    context: Context, job: str, planned: Plan, began: datetime, state: str, error: str | None = None
) -> RunRow:
    return RunRow(
        job=job,
        slice=planned.slice,
        run_key=_key(job, context.arguments, planned, context),
        state=state,
        started_at=began,
        finished_at=now(),
        inputs={name: value for name, value in planned.inputs.items() if isinstance(value, int)},
        error=error,
    )


def _say(log: logging.Logger, outcome: Outcome, took: timedelta, key: str) -> None:
    parts = [outcome.result]
    parts += [f"{label} {value:,}" for label, value in _counts(outcome) if value is not None]
    parts += [
        f"{table} version {version}" for table, version in outcome.outputs.items() if version is not None
    ]
    parts += [f"{took.total_seconds():.0f} s", f"run_key {key}"]
    log.info("done: %s", ", ".join(part for part in parts if part))


def _counts(outcome: Outcome) -> list[tuple[str, int | None]]:
    return [("rows in", outcome.rows_in), ("rows out", outcome.rows_out), ("refused", outcome.refused)]
