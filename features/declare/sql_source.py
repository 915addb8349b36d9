"""A source written as SQL over other logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from string import Formatter

from features.declare.place import Declared, here
from features.declare.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSource:
    """Events that a query makes of logs. It stands wherever a group, a link, a look-up or rates name a log.

    The query names each log in braces, ``FROM {payments} p JOIN {refunds} r USING (payment_id)``, reads nothing else,
    and gives ``event_at`` and ``known_at`` itself. A row is known when everything it was made of was, so a join gives
    ``greatest(p.known_at, r.known_at) AS known_at``. What it says of the time before an instant must not depend on
    what became known later; a build looks at one instant and refuses a query for which it does. A row without
    ``event_at`` or ``known_at`` is no event. A brace that is meant as such is written twice.

    Attributes:
        name: what features call it; not the name of a log.
        key: the columns that are a row's id.
        lookback: how long before a row is known, or happens if that is later, the oldest row it is made of was known,
            or happened. A day's build then reads no more; a build refuses a query that looks back further. None is as
            far as there are rows, and each build reads all of them.
    """

    name: str
    sql: str
    key: Sequence[str]
    lookback: Window | None = None
    declared: Declared = field(default_factory=here, compare=False, repr=False)

    @property
    def logs(self) -> tuple[str, ...]:
        """The logs in braces, in the order in which they first stand there.

        Raises:
            ValueError: a brace stands alone.
        """
        return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(self.sql) if name is not None))

    @property
    def reach(self) -> int | None:
        """The lookback in microseconds; None is as far as there are rows."""
        return None if self.lookback is None else self.lookback.micros

    def __str__(self) -> str:
        return self.name


# What a declaration may read: a log by its name, or a query over logs.
Log = str | SqlSource


def logs_of(*sources: Log) -> tuple[str, ...]:
    """The logs that are read, each once."""
    named = [(source,) if isinstance(source, str) else source.logs for source in sources]
    return tuple(dict.fromkeys(log for logs in named for log in logs))
