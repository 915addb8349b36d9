"""Reports long files and functions; fails only above the hard limits."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PLACES = (
    "lake",
    "features",
    "training",
    "scoring",
    "jobs",
    "operations",
    "simulation",
    "benchmarks",
    "scripts",
    "tests",
)
LONG_FILE, LONGEST_FILE = 400, 600
LONG_FUNCTION, LONGEST_FUNCTION = 60, 100


class Long(NamedTuple):
    """A file or function above a limit."""

    lines: int
    place: str
    is_too_long: bool


def long_parts(path: Path) -> Iterator[Long]:
    """Yield the file itself and each of its functions that is above its limit."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > LONG_FILE:
        yield Long(lines, str(path), lines > LONGEST_FILE)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONG_FUNCTION:
                yield Long(lines, f"{path}:{node.lineno} {node.name}", lines > LONGEST_FUNCTION)


def main() -> int:
    """Print what is long, longest first. Returns 1 when something is above a hard limit."""
    files = [path for place in PLACES for path in sorted(Path(place).rglob("*.py"))]
    found = sorted((part for path in files for part in long_parts(path)), reverse=True)
    for part in found:
        print(f"{part.lines:>5} lines  {part.place}{'  TOO LONG: split it' if part.is_too_long else ''}")
    print(
        f"{len(files)} files, {len(found)} long parts (file > {LONG_FILE}, function > {LONG_FUNCTION} lines)"
    )
    return int(any(part.is_too_long for part in found))


if __name__ == "__main__":
    sys.exit(main())
