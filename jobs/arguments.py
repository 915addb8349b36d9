"""The arguments that mean the same in every job."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, date, datetime, timedelta

from lake.duration import parse_duration

_DAY = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?P<shift>[+-]\d+)d")


def instant(text: str) -> datetime:
    """A date or ISO instant; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date; write 2018-08-08 or 2018-08-08T12:00:00"
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def day(text: str) -> date:
    """A calendar day, UTC, or one so many days from another: a scheduler knows today, and cannot reckon."""
    found = _DAY.fullmatch(text)
    try:
        if found is None:
            return date.fromisoformat(text)
        return date.fromisoformat(found["day"]) + timedelta(days=int(found["shift"]))
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write 2018-08-08 or 2018-08-08-7d") from error


def duration(text: str) -> object:
    """A span such as 30s, 5m or 2h."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def base_parser(name: str, about: str, example: str) -> argparse.ArgumentParser:
    """The parser every job starts from."""
    parser = argparse.ArgumentParser(prog=name, description=about, epilog=f"example: {example}")
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="base, then overlays ($TRUSTLAKE_CONFIG)",
    )
    add_set(parser)
    parser.add_argument(
        "--replace", action="store_true", help="do it again although it was done (default: skip)"
    )
    parser.add_argument(
        "--wait",
        type=duration,
        default="0s",
        metavar="SPAN",
        help="wait for another holder of the lock (default: 0s)",
    )
    parser.add_argument("--refusal-ok", action="store_true", help="exit 0 where a gate or contract refuses")
    parser.add_argument("--log-format", choices=["text", "json"], default="text", help="(default: text)")
    return parser


def add_set(parser: argparse.ArgumentParser) -> None:
    """``--set``: one value of the configuration over all files."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="over all files, such as lake.catalog=main; may be repeated",
    )


def check_range(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Exit with wrong usage where ``--from`` is not before ``--to``."""
    begin, end = getattr(arguments, "begin", None), getattr(arguments, "end", None)
    if begin is not None and end is not None and begin >= end:
        parser.error(f"--from {begin} is not before --to {end}; --to is the day after the last")


def add_range(parser: argparse.ArgumentParser, what: str) -> None:
    """``--from`` and ``--to``: a half-open range of days, UTC."""
    parser.add_argument(
        "--from", dest="begin", type=day, metavar="DAY", help=f"first day of {what} (default: all)"
    )
    parser.add_argument("--to", dest="end", type=day, metavar="DAY", help=f"day after the last of {what}")
