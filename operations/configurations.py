"""Which configuration files an operator's command means: named ones, an example, or the built-in marketplace."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from jobs.arguments import add_set
from jobs.configuration import VARIABLE
from lake.errors import ConfigError

BASE = Path("conf/base.yml")
MARKETPLACE = Path("conf/marketplace.yml")
EXAMPLES = Path("examples")


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """``--config``, ``--set``, ``--example`` and ``--data``."""
    parser.add_argument(
        "--config", action="append", default=[], metavar="FILE", help="base and overlays, later wins"
    )
    add_set(parser)
    parser.add_argument("--example", metavar="NAME", help="a folder of examples/ with an overlay.yml")
    parser.add_argument("--data", metavar="FOLDER", help="where the example's raw files lie")


def chosen_files(arguments: argparse.Namespace) -> list[str]:
    """The files in the order they are merged.

    Raises:
        ConfigError: there is no such example, or no such folder of data.
    """
    if arguments.config:
        return list(arguments.config)
    if arguments.example is None:
        named = [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
        return named or [str(BASE), str(MARKETPLACE)]
    overlay = EXAMPLES / arguments.example / "overlay.yml"
    if not overlay.is_file():
        there = ", ".join(sorted(path.parent.name for path in EXAMPLES.glob("*/overlay.yml")))
        raise ConfigError([f"{overlay}: no such example; there are {there or 'none in this folder'}"])
    return [str(BASE), str(overlay), *_data_overlay(arguments)]


def _data_overlay(arguments: argparse.Namespace) -> list[str]:
    """An overlay that points the raw root at the folder given."""
    if arguments.data is None:
        return []
    folder = Path(arguments.data).resolve()
    if not folder.is_dir():
        raise ConfigError([f"{folder}: no such folder; give the one that holds the example's raw files"])
    overlay = Path(".trustlake") / Path(arguments.example).name / "data.yml"
    overlay.parent.mkdir(parents=True, exist_ok=True)
    overlay.write_text(f"raw: {{root: {str(folder)!r}}}\n", encoding="utf-8")
    return [str(overlay)]
