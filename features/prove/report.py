"""What the proofs found: features that saw what they must not see, and which proofs could be made on how many rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Proof = Literal["truncation", "canary", "tie", "embargo", "suspicion"]
TRUNCATION: Proof = "truncation"
CANARY: Proof = "canary"
TIE: Proof = "tie"
EMBARGO: Proof = "embargo"
SUSPICION: Proof = "suspicion"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEvent:
    """A row of a source; its instants are UTC, ``known_at`` is None where it never becomes known."""

    source: str
    row_id: str
    event_at: datetime | None
    known_at: datetime | None

    def __str__(self) -> str:
        return (
            f"{self.source} {self.row_id} (happened {_shown(self.event_at)}, known {_shown(self.known_at)})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One feature of one row that is not what the row's past gives.

    Attributes:
        event: the source row that it must not have seen; None where there is none to name.
        expected: the value without that row, as text; for a suspicion the limit.
        found: the value with it; for a suspicion what was measured.
        what: what is wrong, and what to do.
        is_leak: False where it is only worth a look.
    """

    proof: Proof
    feature: str
    row_id: str
    as_of: datetime | None
    event: SourceEvent | None
    expected: str | None
    found: str | None
    what: str
    is_leak: bool = True

    def __str__(self) -> str:
        seen = f" Source event: {self.event}." if self.event else ""
        row = f"{self.feature} of row {self.row_id} as of {_shown(self.as_of)}"
        return f"{self.proof}: {row}: found {self.found}, expected {self.expected}.{seen} {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A proof and the number of rows it was made on; ``why_not`` says why it was not made, or not on all."""

    proof: Proof
    rows: int = 0
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The proofs of one table."""

    made: tuple[Made, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __add__(self, other: Report) -> Report:
        return Report(self.made + other.made, self.findings + other.findings)

    @property
    def leaks(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_leak)

    def lines(self) -> Iterator[str]:
        """One line for the proofs that were made, one for each that was not, one a finding."""
        made = [f"{one.proof} on {one.rows:,} rows" for one in self.made if one.rows]
        if made:
            yield f"proved {', '.join(made)}: {len(self.leaks) or 'no'} leak{'' if len(self.leaks) == 1 else 's'}"
        yield from (
            f"{one.proof} {'limited' if one.rows else 'not made'}: {one.why_not}"
            for one in self.made
            if one.why_not
        )
        yield from (str(finding) for finding in self.findings)


def shown(value: object) -> str:
    """A value of a feature as people read it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _shown(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip(".")
