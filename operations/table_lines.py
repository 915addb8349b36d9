"""Rows in columns, as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain


def table_lines(names: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """A heading, a rule and a line a row, in columns."""
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for line in chain([names, ["-" * width for width in widths]], cells):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
