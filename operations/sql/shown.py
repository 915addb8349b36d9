"""Rows as people and programs read them: an aligned table, CSV or a JSON object a line."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Literal, TextIO

from pyspark.sql import DataFrame, Row

from operations.table_lines import table_lines

Format = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json")
WIDEST = 60


def show(rows: DataFrame, kind: Format, limit: int) -> None:
    """Print the first ``limit`` rows, and say on the error channel where there are more.

    Instants are UTC; CSV has an empty field for null; JSON has decimals as text, for a number might lose digits. A
    table cuts what is wider than 60 characters.
    """
    # One more than is shown tells whether there are more.
    found = iter(rows.limit(limit + 1).toLocalIterator())
    shown = islice(found, limit)
    names = rows.columns
    if kind == "table":
        _print_table(names, [[_cell(value) for value in row] for row in shown])
    elif kind == "csv":
        _print_csv(sys.stdout, names, shown)
    else:
        for row in shown:
            print(json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False))
    if next(found, None) is not None:
        print(
            f"the first {limit:,} rows; there are more: give --limit, or LIMIT in the query", file=sys.stderr
        )


def _print_table(names: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    for line in table_lines(names, cells):
        print(line)
    print(f"({len(cells):,} {'row' if len(cells) == 1 else 'rows'})")


def _print_csv(out: TextIO, names: Sequence[str], rows: Iterable[Row]) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(["" if value is None else _text(value) for value in row] for row in rows)


def _cell(value: object) -> str:
    text = "null" if value is None else _text(value)
    flat = "".join(char if char.isprintable() else " " for char in text[: WIDEST + 1])
    return flat if len(flat) <= WIDEST else f"{flat[: WIDEST - 1]}…"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dict | list | Row | bytes | bytearray):
        plain = _plain(value)
        return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    # Not as 0E-18, which is no amount.
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _plain(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, Row):
        return {name: _plain(part) for name, part in value.asDict().items()}
    if isinstance(value, dict):
        return {_text(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z" if value.tzinfo is None else value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, date | Decimal) or (isinstance(value, float) and not math.isfinite(value)):
        return _text(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
