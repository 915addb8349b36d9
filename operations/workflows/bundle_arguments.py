"""Arguments that say which bundle is meant, for which target, and with which variables."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from lake.errors import ConfigError
from operations.workflows.bundle import FILE, Bundle, load_bundle
from operations.workflows.node import Node

_VARIABLE = "BUNDLE_VAR_"


def add_bundle_arguments(parser: argparse.ArgumentParser, *, default_target: str) -> None:
    """``--folder``, ``--target`` and ``--var``."""
    parser.add_argument("--folder", type=Path, default=Path(), help=f"where {FILE} is (default: here)")
    parser.add_argument("--target", metavar="TARGET", help=f"(default: {default_target})")
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"a variable's value (default: ${_VARIABLE}NAME)",
    )


def variables_of(arguments: argparse.Namespace) -> dict[str, str]:
    """The values of variables, those of the command line over those of the environment.

    Raises:
        ConfigError: an argument is no name with a value.
    """
    values = {
        name.removeprefix(_VARIABLE): value
        for name, value in os.environ.items()
        if name.startswith(_VARIABLE)
    }
    return values | pairs(arguments.var, "--var", "catalog=main")


def pairs(texts: list[str], option: str, example: str) -> dict[str, str]:
    """Names with values, of ``name=value``.

    Raises:
        ConfigError: one is none.
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ConfigError([f"{option} {text}: expected a name and its value, as in {example}"])
        values[name] = value
    return values


def bundle_of(arguments: argparse.Namespace, deployer: str = "deployer") -> Bundle:
    """The bundle that the arguments mean, as somebody deploys it.

    Raises:
        ConfigError: with every mistake that keeps it from being read.
    """
    bundle = load_bundle(arguments.folder, arguments.target, variables_of(arguments), deployer)
    if bundle.mistakes:
        raise ConfigError(bundle.mistakes)
    return bundle


def job_of(bundle: Bundle, key: str) -> Node:
    """A workflow of the bundle.

    Raises:
        ConfigError: there is none of that key.
    """
    if key not in bundle.jobs:
        raise ConfigError(
            [f"{bundle.folder / FILE}: there is no workflow {key!r}; there are {', '.join(bundle.jobs)}"]
        )
    return bundle.jobs[key]
