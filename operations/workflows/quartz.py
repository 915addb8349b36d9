"""Quartz cron expressions: seconds, minutes, hours, day of the month, month, day of the week and maybe year.

The language is that of Quartz 2 (CronTrigger tutorial), without ``W`` and calendars' ``L-n``, which no job needs.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MONTHS = [name.upper() for name in calendar.month_abbr[1:]]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_RANGES = {
    "seconds": (0, 59),
    "minutes": (0, 59),
    "hours": (0, 23),
    "day of the month": (1, 31),
    "month": (1, 12),
    "day of the week": (1, 7),
    "year": (1970, 2099),
}
_NAMES = {"month": _MONTHS, "day of the week": _DAYS}
_PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>\d+))?")
_NTH = re.compile(r"(?P<day>\w+)#(?P<nth>[1-5])")
_LAST_DAY = re.compile(r"(?P<day>\w+)L")
# A calendar repeats itself after so many years; what has not come by then never comes.
_HORIZON = timedelta(days=366 * 28)


@dataclass(frozen=True, slots=True)
class Quartz:
    """When an expression fires.

    Attributes:
        seconds: and the others: the values that fit. Days of the week run from 1, Sunday.
        days: of the month; None where the day of the week decides.
        is_last: true for the last day of the month.
        weekdays: None where the day of the month decides.
        nth: the number of the weekday within its month; 0 is the last one, None any.
    """

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    is_last: bool
    months: frozenset[int]
    weekdays: frozenset[int] | None
    nth: int | None
    years: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Quartz:
        """Read an expression.

        Raises:
            ValueError: with what is wrong in it, and what is expected.
        """
        fields = expression.split()
        if len(fields) not in {6, 7}:
            raise ValueError(
                f"{len(fields)} fields; expected seconds minutes hours day month weekday, and maybe year"
            )
        named = dict(zip(_RANGES, [*fields, "*"], strict=False))
        on, weekday = named["day of the month"], named["day of the week"]
        if (on == "?") == (weekday == "?"):
            raise ValueError("exactly one of day of the month and day of the week is ?")
        nth = _NTH.fullmatch(weekday)
        last = _LAST_DAY.fullmatch(weekday)
        chosen = nth or last
        return cls(
            seconds=_values("seconds", named["seconds"]),
            minutes=_values("minutes", named["minutes"]),
            hours=_values("hours", named["hours"]),
            days=None if on == "?" else frozenset() if on == "L" else _values("day of the month", on),
            is_last=on == "L",
            months=_values("month", named["month"]),
            weekdays=None
            if weekday == "?"
            else _values("day of the week", chosen["day"] if chosen else weekday),
            nth=int(nth["nth"]) if nth else 0 if last else None,
            years=_values("year", named["year"]),
        )

    def fires(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The instants after an aware one, by the clocks of a zone; an hour that clocks skip has none.

        The hour that they repeat counts once.
        """
        start = after.astimezone(zone)
        for offset in range(_HORIZON.days):
            on = start.date() + timedelta(days=offset)
            if not self._is_on(on):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    for second in sorted(self.seconds):
                        at = datetime.combine(on, time(hour, minute, second), zone)
                        if _exists(at) and at > start:
                            yield at

    def _is_on(self, on: date) -> bool:
        if on.year not in self.years or on.month not in self.months:
            return False
        length = calendar.monthrange(on.year, on.month)[1]
        if self.days is not None:
            return on.day == length if self.is_last else on.day in self.days
        if self.weekdays is None or on.isoweekday() % 7 + 1 not in self.weekdays:
            return False
        if self.nth is None:
            return True
        return on.day + 7 > length if self.nth == 0 else (on.day - 1) // 7 + 1 == self.nth


def _exists(at: datetime) -> bool:
    """False for a time that the clocks of its zone jump over."""
    there = at.astimezone(ZoneInfo("UTC")).astimezone(at.tzinfo)
    return there.replace(tzinfo=None) == at.replace(tzinfo=None)


def _values(field: str, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        found |= _part(field, part)
    return frozenset(found)


def _part(field: str, text: str) -> set[int]:
    low, high = _RANGES[field]
    match = _PART.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{field} is {text!r}; expected *, a value, a range such as 1-5, or steps such as 0/15"
        )
    step = int(match["step"] or 1)
    if match["first"] == "*":
        first, last = low, high
    else:
        first = _number(field, match["first"])
        # A step without an end goes on to the last value.
        end = match["last"] or (str(high) if match["step"] else match["first"])
        last = _number(field, end)
    if step < 1 or (match["first"] == "*" and match["last"]):
        raise ValueError(f"{field} is {text!r}; expected a step of 1 or more, and a range between two values")
    if first > last:  # FRI-MON
        return set(range(first, high + 1, step)) | set(range(low, last + 1, step))
    return set(range(first, last + 1, step))


def _number(field: str, text: str) -> int:
    low, high = _RANGES[field]
    names = _NAMES.get(field, [])
    if text.upper() in names:
        return names.index(text.upper()) + 1
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ValueError(
            f"{field} is {text!r}; expected {low} to {high}"
            + (f" or {names[0]} to {names[-1]}" if names else "")
        )
    return int(text)
