"""One person erased: rows, quarantine, raw lines and pages go, and what is delivered later does not come in."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta

from jobs.dependents import models_reading
from jobs.erasure import Erasure, forget, look, remove
from jobs.job import Context, Plan, console_command, now, run_job
from lake.erase.erasures import ERASURES, begin, finish
from lake.erase.person import Person
from lake.erase.vacuum import SAFE_HOURS
from lake.errors import ConfigError, TrustlakeError
from lake.hash_key import VARIABLE, HashKey
from lake.locks import Claim, held
from lake.runs import Outcome

_WHY_KEY = (
    "a person who was erased is recognised by a keyed hash: give it 16 characters or more, keep it as long as the "
    "lake, and give it to ingest_logs too"
)


def _person(identifier: str) -> Person:
    """Whom the command line names; from here on the id is seen by nobody.

    Raises:
        ConfigError: the environment gives no key.
    """
    key = HashKey.of_environment(os.environ)
    if key is None:
        raise ConfigError([f"{VARIABLE} is not set; {_WHY_KEY}"])
    if not identifier:
        raise argparse.ArgumentTypeError("it is empty; name one person")
    return Person.of(identifier, key)


def _hours(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours; write 0 or more")
    return int(text)


class EraseUser:
    """Removes a person's rows from every table, from raw files and from MLflow; writes ``erasures``."""

    NAME = "erase_user"
    ABOUT = (
        "Remove one person's rows everywhere, old versions included, and keep later deliveries of them out."
    )
    EXAMPLE = "erase_user --config conf/base.yml --user acc_42 --reason 'request 1234' --dry-run"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--user", required=True, type=_person, metavar="ID", help="the id, as the logs deliver it"
        )
        parser.add_argument(
            "--reason", required=True, metavar="TEXT", help="why, for the table erasures; not the id"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be removed, and change nothing"
        )
        parser.add_argument(
            "--vacuum-hours",
            type=_hours,
            default=SAFE_HOURS,
            metavar="N",
            help=f"keep old versions this long (default: {SAFE_HOURS}; fewer: let no other job run meanwhile)",
        )
        parser.add_argument("--keep-raw", action="store_true", help="leave raw files as they are")

    @staticmethod
    def plan(context: Context) -> Plan:
        arguments, contracts = context.arguments, context.contracts
        if not arguments.reason.strip():
            raise TrustlakeError("--reason is empty; say why, such as the number of the request")
        if arguments.user.is_in(arguments.reason):
            raise TrustlakeError("--reason names the user, and would be kept; name the request instead")
        named = [contract for contract in contracts.values() if contract.subject]
        if not named:
            raise ConfigError(
                [
                    f"no contract of {', '.join(contracts)} has a `subject`: nothing says which columns name a person"
                ]
            )
        tables = [ERASURES.name, *(contract.table for contract in named)]
        found = {table: context.lake.version(table) for table in tables}
        inputs = {table: version for table, version in found.items() if version is not None}
        return Plan(
            slice=f"user {arguments.user}", holds="all users", inputs=inputs, work=lambda _: _erase(context)
        )


def _erase(context: Context) -> Outcome:
    """Erase while no log is ingested and no feature built."""
    arguments, lake, wait = context.arguments, context.lake, context.arguments.wait
    with (
        held(lake, Claim("ingest_logs", "all logs"), now, wait=wait),
        held(lake, Claim("build_features", "all views"), now, wait=wait),
    ):
        erasure = look(context, arguments.user)
        _report(context, erasure)
        if arguments.dry_run:
            return _outcome(erasure, "would be removed")
        begin(lake, arguments.user, erasure.found, arguments.reason, now())
        remove(context, erasure)
        versions = forget(context, erasure, arguments.vacuum_hours)
        finish(lake, arguments.user)
    _tell_history(context, erasure, versions)
    return _outcome(erasure, "removed")


def _report(context: Context, erasure: Erasure) -> None:
    """Say place by place what goes, and what stays."""
    would = "would go" if context.arguments.dry_run else "go"
    nameless = [log for log, contract in context.contracts.items() if not contract.subject]
    if nameless:
        context.log.warning("%s: the contract has no `subject`, so no row is anybody's", ", ".join(nameless))
    for place in erasure.found:
        context.log.info(
            "%s: %s rows %s, %s files rewritten", place.place, f"{place.rows:,}", would, place.files
        )
    if not erasure.found:
        context.log.info("nothing is there of the user; later deliveries are kept out all the same")
    if context.arguments.keep_raw:
        context.log.warning("raw files stay as they are, with the user's lines (--keep-raw)")
    for files in erasure.files:
        if files.unreadable:
            context.log.warning(
                "%s: nobody can look into %s; delete or mend them",
                files.contract.log,
                ", ".join(files.unreadable),
            )
    _report_built(context, erasure)


def _report_built(context: Context, erasure: Erasure) -> None:
    for log, built in erasure.built.items():
        for line in built:
            context.log.warning("counted the user's %s: %s", log, line)
        models = models_reading(context.lake, [log])
        if models:
            context.log.warning("models that read %s: %s; train anew to forget", log, ", ".join(models))
    if any(erasure.built.values()):
        context.log.warning(
            "other people's features still count the user's events; run build_features --replace, then training and "
            "scoring, over the same days"
        )


def _tell_history(context: Context, erasure: Erasure, versions: Mapping[str, int]) -> None:
    hours = context.arguments.vacuum_hours
    gone = [
        f"{table} before version {version}" for table, version in versions.items() if erasure.rows.get(table)
    ]
    if not gone:
        return
    if hours == 0:
        context.log.warning("can no longer be read: %s", ", ".join(gone))
        return
    context.log.warning(
        "old versions hold the rows for %d hours more: %s; history is gone when a VACUUM runs after %s, such as this "
        "command again",
        hours,
        ", ".join(gone),
        f"{now() + timedelta(hours=hours):%Y-%m-%d %H:%M} UTC",
    )


def _outcome(erasure: Erasure, done: str) -> Outcome:
    tables = sum(place.rows for place in erasure.found if not place.files)
    files = sum(len(one.lines) for one in erasure.files)
    places = len(erasure.found)
    return Outcome(
        rows_out=tables,
        result=f"{tables:,} rows of {places} places {done}, {files} raw files and {len(erasure.pages)} pages rewritten",
        place=ERASURES.name,
    )


JOB = EraseUser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
