"""``trustlake sql``: the tables of a lake and views for analysts in Spark SQL, to read and not to write."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from jobs.arguments import instant
from jobs.declared_tables import declared_tables
from jobs.job import check, open_lake
from lake.errors import TrustlakeError
from operations.configurations import add_config_arguments, chosen_files
from operations.sql.shell import Shell
from operations.sql.shown import FORMATS
from operations.sql.views import OpenLake


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake sql``."""
    add_config_arguments(parser)
    parser.add_argument(
        "-e", dest="text", action="append", metavar="SQL", help="statements (default: a prompt)"
    )
    parser.add_argument("-f", dest="file", metavar="FILE", help="a file of statements")
    parser.add_argument("--as-of", type=instant, metavar="INSTANT", help="only what was known before this")
    parser.add_argument("--format", choices=FORMATS, default="table", help="(default: table)")
    parser.add_argument("--limit", type=_rows, default=100, metavar="ROWS", help="(default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Answer the statements given by ``-e``, ``-f`` or the standard input, or those typed at a prompt.

    Raises:
        ConfigError: the configuration is wrong.
        RefusedError: a statement would write or change something.
        TrustlakeError: there is no such file, the lake has no table, or a statement is wrong.
    """
    text = _text(arguments)
    loaded, contracts, definitions = check(chosen_files(arguments), arguments.set)
    lake = open_lake(loaded, "trustlake sql")
    views = OpenLake(lake, contracts, definitions, arguments.as_of).open()
    tables = declared_tables(contracts, definitions).values()
    writers = {table.name: list(dict.fromkeys(claim.job for claim in table.writers)) for table in tables}
    shell = Shell(lake, views, writers, arguments.format, arguments.limit)
    try:
        if text is None:
            shell.prompt()
        else:
            shell.run(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough; the interpreter would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _text(arguments: argparse.Namespace) -> str | None:
    """All statements; None where they are to be typed."""
    parts = list(arguments.text or [])
    if arguments.file is not None:
        try:
            parts.append(Path(arguments.file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise TrustlakeError(
                f"{arguments.file} cannot be read: {error}; give -f a file of SQL"
            ) from error
    if parts:
        return ";\n".join(parts)
    return None if sys.stdin.isatty() else sys.stdin.read()


def _rows(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows; write 100")
    return int(text)
