"""Arguments that mean the same in every job."""

from __future__ import annotations

import argparse
from datetime import date

import pytest

from jobs.arguments import day


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-03-01-7d", date(2026, 2, 22)),
        ("2026-02-28+1d", date(2026, 3, 1)),
        ("2024-02-28+1d", date(2024, 2, 29)),
        ("2026-03-01+0d", date(2026, 3, 1)),
    ],
)
def test_a_day_may_be_named_by_its_distance_from_another(text: str, expected: date) -> None:
    assert day(text) == expected


@pytest.mark.parametrize("text", ["2026-02-30", "2026-03-01-7", "7d", "2026-03-01+99999999d", "today-1d", ""])
def test_what_is_no_day_is_said(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no day; write 2018-08-08 or 2018-08-08-7d"):
        day(text)
