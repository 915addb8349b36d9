"""Quartz expressions, against reading every field of every second on its own."""

from __future__ import annotations

import calendar
import random
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from operations.workflows.quartz import Quartz

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 27, tzinfo=UTC)
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def first(expression: str, count: int, zone: ZoneInfo = ZONE, after: datetime = START) -> list[str]:
    fires = islice(Quartz.parse(expression).fires(after, zone), count)
    return [at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") for at in fires]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 4 ? * SUN", ["2026-03-29 02:00:00", "2026-04-05 02:00:00"]),
        ("0 0 12 L * ?", ["2026-03-31 10:00:00", "2026-04-30 10:00:00"]),
        ("0 0 12 ? * 6#3", ["2026-04-17 10:00:00", "2026-05-15 10:00:00"]),
        ("0 0 12 ? * FRIL", ["2026-03-27 11:00:00", "2026-04-24 10:00:00"]),
        ("0 0/40 9-10 ? * MON-FRI", ["2026-03-27 08:00:00", "2026-03-27 08:40:00"]),
        ("0 0 12 29 2 ?", ["2028-02-29 11:00:00", "2032-02-29 11:00:00"]),
        ("0 0 0 1 JAN ? 2027-2028", ["2026-12-31 23:00:00", "2027-12-31 23:00:00"]),
        ("0 0 0 30 2 ?", []),
        # On 29 March clocks go from 2 to 3; on 25 October from 3 back to 2.
        ("0 30 2 28-30 3 ?", ["2026-03-28 01:30:00", "2026-03-30 00:30:00"]),
        ("0 30 2 25 10 ? 2026", ["2026-10-25 00:30:00"]),
    ],
)
def test_when_an_expression_fires(expression: str, expected: list[str]) -> None:
    assert first(expression, 2) == expected


def test_random_expressions_fire_when_every_field_fits() -> None:
    dice = random.Random(3)
    after = datetime(2026, 1, 30, 22, 59, 30, tzinfo=UTC)
    for _ in range(60):
        minutes, hours = dice.randrange(60), sorted(dice.sample(range(24), 2))
        months = sorted(dice.sample(range(1, 5), 2))
        on_days = dice.random() < 0.5
        days = sorted(dice.sample(range(1, 32), 3))
        low = dice.randrange(7)
        high = dice.randrange(7)
        weekdays = {d % 7 for d in range(low, high + 1 if low <= high else high + 8)}
        where = (
            f"{','.join(map(str, days))} {','.join(map(str, months))} ?"
            if on_days
            else f"? {calendar.month_abbr[months[0]]},{months[1]} {DAYS[low]}-{high + 1}"
        )
        expected = []
        at = after.replace(second=0)
        while at < datetime(2026, 5, 1, tzinfo=UTC):
            at += timedelta(minutes=1)
            fits = at.minute == minutes and at.hour in hours and at.month in months
            if fits and (at.day in days if on_days else at.isoweekday() % 7 in weekdays):
                expected.append(at.strftime("%Y-%m-%d %H:%M:%S"))
        found = first(f"0 {minutes} {hours[0]},{hours[1]} {where}", 5, ZoneInfo("UTC"), after)
        assert [text for text in found if text < "2026-05-01"] == expected[:5], where


def test_an_instant_is_after_the_one_given() -> None:
    at = datetime(2026, 3, 29, 4, tzinfo=UTC)
    assert first("0 0 4 ? * SUN", 1, ZoneInfo("UTC"), at) == ["2026-04-05 04:00:00"]
    assert first("0 0 4 ? * SUN", 1, ZoneInfo("UTC"), at - timedelta(seconds=1)) == ["2026-03-29 04:00:00"]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("0 4 * * ?", "5 fields; expected seconds minutes hours day month weekday, and maybe year"),
        ("0 0 4 * * *", "exactly one of day of the month and day of the week is ?"),
        ("0 0 4 ? * ?", "exactly one of day of the month and day of the week is ?"),
        ("0 60 4 * * ?", "minutes is '60'; expected 0 to 59"),
        ("0 0 4 ? * 0", "day of the week is '0'; expected 1 to 7 or SUN to SAT"),
        ("0 0 4 ? * SUN#6", "day of the week is 'SUN#6'; expected"),
        ("0 0/0 4 * * ?", "minutes is '0/0'; expected a step of 1 or more"),
        ("0 *-3 4 * * ?", "expected a step of 1 or more, and a range between two values"),
        ("0 , 4 * * ?", "minutes is ''; expected"),
        ("@daily", "1 fields"),
    ],
)
def test_what_is_no_expression_is_said(expression: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("?", r"\?").replace("*", r"\*")):
        Quartz.parse(expression)
