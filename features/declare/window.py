"""Spans of time before ``as_of``: exact to the microsecond, of any length."""

from __future__ import annotations

from dataclasses import dataclass

MICROS_PER_SECOND = 1_000_000
MICROS_PER_HOUR = 3_600 * MICROS_PER_SECOND
MICROS_PER_DAY = 24 * MICROS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Window:
    """A span before ``as_of``: a row exactly that old is inside, one of the same instant is outside.

    ``micros`` is its length in microseconds; None is all of history.
    """

    label: str
    micros: int | None


def seconds(count: int) -> Window:
    """A window of that many seconds."""
    return Window(f"{count}s", count * MICROS_PER_SECOND)


def minutes(count: int) -> Window:
    """A window of that many minutes."""
    return Window(f"{count}m", count * 60 * MICROS_PER_SECOND)


def hours(count: int) -> Window:
    """A window of that many hours."""
    return Window(f"{count}h", count * MICROS_PER_HOUR)


def days(count: int) -> Window:
    """A window of that many days of 24 hours."""
    return Window(f"{count}d", count * MICROS_PER_DAY)


LIFETIME = Window("lifetime", None)
