"""What one check of the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a finding is meant: ``WARN`` works but may surprise, ``FAIL`` stops a job."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; ``advice`` says what to do and is empty when all is well."""

    check: str
    state: State
    found: str
    advice: str = ""

    @classmethod
    def ok(cls, check: str, found: str) -> Finding:
        """All is well."""
        return cls(check, State.OK, found)

    @classmethod
    def warn(cls, check: str, found: str, advice: str) -> Finding:
        """It works, and may surprise."""
        return cls(check, State.WARN, found, advice)

    @classmethod
    def fail(cls, check: str, found: str, advice: str) -> Finding:
        """A job would stop."""
        return cls(check, State.FAIL, found, advice)
