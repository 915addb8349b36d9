"""``trustlake ops``: what is deployed in a workspace, its runs, their repair, results and costs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from databricks.sdk import WorkspaceClient

from jobs.arguments import day, duration, instant
from jobs.job import now
from lake.errors import TrustlakeError
from operations.databricks.client import Patience, make_client, told
from operations.databricks.costs import costs
from operations.databricks.deployed import deployed
from operations.databricks.exported import export_runs
from operations.databricks.runs import Ended, find_job, follow, repair, start, token
from operations.table_lines import table_lines
from operations.workflows.bundle import Bundle
from operations.workflows.bundle_arguments import add_bundle_arguments, bundle_of, job_of, pairs
from operations.workflows.presets import DEVELOPMENT

_EPILOG = "The workspace is that of DATABRICKS_HOST and its credentials, or of --profile."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake ops``."""
    parser.epilog = _EPILOG
    choices = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, (about, arguments, _) in _ACTIONS.items():
        sub = choices.add_parser(name, help=about, description=about, epilog=_EPILOG)
        arguments(sub)
        sub.add_argument("--profile", help="a profile of ~/.databrickscfg")
        add_bundle_arguments(sub, default_target="the default one of the file")


def run(arguments: argparse.Namespace) -> None:
    """Do one action.

    Raises:
        TrustlakeError: the workspace refuses, cannot be reached, or a run ended badly.
    """
    patience = Patience()
    client = make_client(patience, arguments.profile)
    with told(arguments.action):
        _ACTIONS[arguments.action][2](client, arguments, patience)


def _status(client: WorkspaceClient, arguments: argparse.Namespace, _: Patience) -> None:
    found = deployed(client, _bundle(client, arguments))
    rows = [(one.key, one.state, one.pause, one.last_run) for one in found]
    for line in table_lines(("workflow", "state", "schedule", "last run"), rows):
        print(line)


def _run(client: WorkspaceClient, arguments: argparse.Namespace, patience: Patience) -> None:
    name, job_id = _job(client, arguments)
    parameters = pairs(arguments.param, "--param", "from=2026-03-01")
    at: datetime = arguments.at or now()
    told_once = token(name, at.isoformat(), arguments.attempt, parameters)
    run_id = start(client, job_id, parameters, told_once)
    print(f"run {run_id} of {name}")
    if not arguments.no_wait:
        _finish(_followed(client, run_id, arguments.timeout, patience))


def _wait(client: WorkspaceClient, arguments: argparse.Namespace, patience: Patience) -> None:
    _finish(_followed(client, arguments.run, arguments.timeout, patience))


def _repair(client: WorkspaceClient, arguments: argparse.Namespace, patience: Patience) -> None:
    repair(client, arguments.run)
    _finish(_followed(client, arguments.run, arguments.timeout, patience))


def _export(client: WorkspaceClient, arguments: argparse.Namespace, _: Patience) -> None:
    job_id = _job(client, arguments)[1]
    count = export_runs(client, job_id, arguments.since, arguments.out)
    print(f"{arguments.out}: {count} tasks")


def _cost(client: WorkspaceClient, arguments: argparse.Namespace, patience: Patience) -> None:
    job_id = _job(client, arguments)[1]
    since: date = arguments.since or (now() - timedelta(days=30)).date()
    seconds = arguments.timeout.total_seconds()
    found = costs(client, arguments.warehouse, job_id, since, seconds=seconds, poll=patience.poll)
    for cost in found:
        print(f"run {cost.run_id}: {cost.dbu:.2f} DBU, {cost.price:.2f}")
    total = sum(cost.price for cost in found)
    print(
        f"{len(found)} runs since {since}: {sum(cost.dbu for cost in found):.2f} DBU, {total:.2f} at list prices"
    )


def _bundle(client: WorkspaceClient, arguments: argparse.Namespace) -> Bundle:
    """The bundle as who asks has deployed it: development puts their name before every job's."""
    bundle = bundle_of(arguments)
    user = client.current_user.me().user_name if bundle.mode == DEVELOPMENT else None
    return bundle_of(arguments, user) if user else bundle


def _job(client: WorkspaceClient, arguments: argparse.Namespace) -> tuple[str, int]:
    name = job_of(_bundle(client, arguments), arguments.workflow).at("name").text
    return name, find_job(client, name)


def _followed(client: WorkspaceClient, run_id: int, timeout: timedelta, patience: Patience) -> Ended:
    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    return follow(client, run_id, seconds=timeout.total_seconds(), poll=patience.poll, changed=say)


def _finish(ended: Ended) -> None:
    for failure in ended.failures:
        print(failure, file=sys.stderr)
    if not ended.is_good:
        raise TrustlakeError(
            f"run {ended.run_id} ended as {ended.state}; when it is mended: ops repair {ended.run_id}"
        )
    print(f"run {ended.run_id}: {ended.state}")


def _workflow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workflow", metavar="WORKFLOW", help="a job of databricks.yml; see trustlake list")


def _timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", type=duration, default="12h", metavar="SPAN", help="wait so long (default: 12h)"
    )


def _for_run(parser: argparse.ArgumentParser) -> None:
    _workflow(parser)
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the job"
    )
    parser.add_argument(
        "--at", type=instant, metavar="INSTANT", help="what the run is for: asked twice, it is started once"
    )
    parser.add_argument(
        "--attempt", type=int, default=1, metavar="N", help="another number starts another run"
    )
    parser.add_argument("--no-wait", action="store_true", help="do not follow it to its end")
    _timeout(parser)


def _for_known_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=int, metavar="RUN", help="the run's id")
    _timeout(parser)


def _for_export(parser: argparse.ArgumentParser) -> None:
    _workflow(parser)
    parser.add_argument(
        "--since", type=instant, required=True, metavar="INSTANT", help="runs that began since"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a file of CSV")


def _for_cost(parser: argparse.ArgumentParser) -> None:
    _workflow(parser)
    parser.add_argument("--warehouse", required=True, metavar="ID", help="the SQL warehouse that is asked")
    parser.add_argument("--since", type=day, metavar="DAY", help="(default: 30 days ago)")
    _timeout(parser)


def _nothing(_: argparse.ArgumentParser) -> None:
    """An action that needs no argument of its own."""


_Action = tuple[
    str, Callable[[argparse.ArgumentParser], None], Callable[[WorkspaceClient, Any, Patience], None]
]
_ACTIONS: Mapping[str, _Action] = {
    "status": ("what is deployed of each workflow, and how its last run ended", _nothing, _status),
    "run": ("start a run, once, and follow it", _for_run, _run),
    "wait": ("follow a run to its end", _for_known_run, _wait),
    "repair": ("run again what failed of a run, and follow it", _for_known_run, _repair),
    "export": ("write the results of runs, a line a task", _for_export, _export),
    "cost": ("what runs have cost, at list prices", _for_cost, _cost),
}
