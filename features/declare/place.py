"""Where a declaration stands, so that a mistake in it can be told with file and line."""

from __future__ import annotations

import sys
from dataclasses import dataclass

_OURS = ("features.declare", "features.labels", "training.model")


@dataclass(frozen=True, slots=True)
class Declared:
    """The file and line a declaration stands on."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def here() -> Declared:
    """The nearest caller outside the packages that declare: the line of the user's declaration."""
    frame = sys._getframe(1)  # noqa: SLF001 - the standard library has no public way to a caller's line
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(_OURS):
        frame = frame.f_back
    return Declared(frame.f_code.co_filename, frame.f_lineno)
