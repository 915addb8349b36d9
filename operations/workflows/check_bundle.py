"""``trustlake check-bundle``: what is wrong with databricks.yml, for one target or for all, without a workspace."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from jobs.arguments import day
from jobs.job import now
from lake.errors import ConfigError
from operations.workflows.bundle import FILE, targets_of
from operations.workflows.checks import mistakes_of

_VARIABLE = "BUNDLE_VAR_"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake check-bundle``."""
    parser.add_argument("--folder", type=Path, default=Path(), help=f"where {FILE} is (default: here)")
    parser.add_argument("--target", metavar="TARGET", help="check as it deploys (default: every target)")
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"a variable's value (default: {_VARIABLE}NAME of the environment, then what the files say)",
    )
    parser.add_argument(
        "--on",
        type=day,
        metavar="DAY",
        help="the day on which runtimes are to be in support (default: today)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Check, and say what was checked.

    Raises:
        ConfigError: with every mistake of every target, each once.
    """
    variables = _variables(arguments.var, os.environ)
    targets = [arguments.target] if arguments.target else targets_of(arguments.folder)
    on: date = arguments.on or now().date()
    mistakes: dict[str, list[str]] = {}
    for target in targets:
        for mistake in mistakes_of(arguments.folder, target, variables, on):
            mistakes.setdefault(mistake, []).append(target)
    if mistakes:
        raise ConfigError([_of_targets(text, found, targets) for text, found in mistakes.items()])
    print(f"{arguments.folder / FILE}: no mistakes in {', '.join(targets)}")


def _of_targets(mistake: str, found: Sequence[str], targets: Sequence[str]) -> str:
    return mistake if len(found) == len(targets) else f"{mistake} (in {', '.join(found)})"


def _variables(given: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The values of variables, those of the command line over those of the environment.

    Raises:
        ConfigError: an argument is no name with a value.
    """
    values = {
        name.removeprefix(_VARIABLE): value
        for name, value in environment.items()
        if name.startswith(_VARIABLE)
    }
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ConfigError([f"--var {text}: expected a name and its value, as in catalog=main"])
        values[name] = value
    return values
