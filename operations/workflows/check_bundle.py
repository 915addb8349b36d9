"""``trustlake check-bundle``: what is wrong with databricks.yml, for one target or for all, without a workspace."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date

from jobs.arguments import day
from jobs.job import now
from lake.errors import ConfigError
from operations.workflows.bundle import FILE, targets_of
from operations.workflows.bundle_arguments import add_bundle_arguments, variables_of
from operations.workflows.checks import mistakes_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake check-bundle``."""
    add_bundle_arguments(parser, default_target="every target")
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
    variables = variables_of(arguments)
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
