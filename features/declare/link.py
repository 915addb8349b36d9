"""One hop through another log: what happened to everyone who shared a device, a card, an address."""

from __future__ import annotations

from dataclasses import dataclass

from features.declare.sql_source import Log, logs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Events of one log, told of whatever their subject was linked with by another log.

    ``Link(source="disputes", on="payer_id", through="logins", through_on="account_id")`` gives every device of
    ``logins`` the disputes of the accounts that logged in on it. Such an event happened, and was known, when both the
    event and the first known link were; a link that came later brings earlier events along.

    Attributes:
        source: log of the events, or a query over logs.
        on: its column that names the subject.
        through: log of the links, or a query over logs.
        through_on: its column that names the subject, where it is named otherwise.
    """

    source: Log
    on: str
    through: Log
    through_on: str | None = None

    @property
    def subject(self) -> str:
        """The column of ``through`` that names the subject."""
        return self.through_on or self.on

    @property
    def logs(self) -> tuple[str, ...]:
        return logs_of(self.source, self.through)

    def __str__(self) -> str:
        return f"{self.source} linked through {self.through}"
