"""Features computed from one row in SQL: of the source in a spine, of the finished features in ``derived``."""

from __future__ import annotations

from dataclasses import dataclass

from features.declare.entity import Entity, feature_name
from features.declare.window import Window

CODES = 1024
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Expression:
    """A named SQL expression over one row.

    Attributes:
        codes: how many codes there are, where the value is a code of a category and not a number; see ``category``.
    """

    name: str
    sql: str
    codes: int | None = None


def expression(name: str, sql: str) -> Expression:
    """A feature computed from one row."""
    return Expression(name, sql)


def category(of: str, *, name: str | None = None, codes: int = CODES) -> Expression:
    """A text, or anything else that has no order, as one of ``codes`` codes that models take for categories.

    The code is a hash, so values that were never seen before have one, no list of values is kept, and a column of 10^5
    values is bounded. Values that share a code are one to the model; of a column whose values are that many, an entity
    of its own, with what is known of each value's past, tells more. Null stays null.

    Raises:
        ValueError: fewer than two codes.
    """
    if codes < _FEWEST:
        raise ValueError(f"category of {of}: {codes} codes tell nothing apart; give at least {_FEWEST}")
    code = f"CAST(pmod(xxhash64(CAST({of} AS STRING)), {codes}) AS INT)"
    return Expression(name or f"{of}_category", f"IF({of} IS NULL, NULL, {code})", codes)


def hour_of_day(of: str) -> Expression:
    """Hour of an instant, 0 to 23 (UTC)."""
    return Expression("hour_of_day", f"hour({of})")


def day_of_week(of: str) -> Expression:
    """Day of an instant, 1 (Sunday) to 7 (Saturday), UTC."""
    return Expression("day_of_week", f"dayofweek({of})")


def ratio(name: str, of: str, to: str) -> Expression:
    """One feature divided by another; null where the other is 0 or null."""
    return Expression(name, f"try_divide(cast({of} AS double), cast({to} AS double))")


def trend(entity: Entity, measure: str, short: Window, long: Window) -> Expression:
    """Rate of a count or sum in a short window against its rate in a long one; null where the long one is empty.

    1 means as ever, 10 ten times as fast.

    Raises:
        ValueError: a window has no length.
    """
    if short.micros is None or long.micros is None:
        raise ValueError(f"trend of {measure}: a rate needs windows with a length, not lifetime")
    name = f"{entity.name}_{measure}_trend_{short.label}_to_{long.label}"
    parts = [f"cast({feature_name(entity, measure, window)} AS double)" for window in (short, long)]
    return Expression(name, f"try_divide({parts[0]}, {parts[1]}) * {long.micros / short.micros!r}D")
