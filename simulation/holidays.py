"""The public holidays of every country that fall on one date each year; fewer people work on them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from simulation.columns import Array, Flags, Ints

_NEW_YEAR, _MAY_DAY, _CHRISTMAS = (1, 1, "New Year"), (5, 1, "Labour Day"), (12, 25, "Christmas")
# Month, day and name, in the order of ``geography.COUNTRIES``.
HOLIDAYS: tuple[tuple[tuple[int, int, str], ...], ...] = (
    (_NEW_YEAR, (7, 4, "Independence Day"), (11, 11, "Veterans Day"), _CHRISTMAS),
    (_NEW_YEAR, _CHRISTMAS, (12, 26, "Boxing Day")),
    (_NEW_YEAR, _MAY_DAY, (10, 3, "German Unity Day"), _CHRISTMAS, (12, 26, "Second Christmas Day")),
    (_NEW_YEAR, _MAY_DAY, (7, 14, "National Day"), (11, 11, "Armistice Day"), _CHRISTMAS),
    (_NEW_YEAR, (7, 1, "Canada Day"), _CHRISTMAS),
    (_NEW_YEAR, (1, 26, "Australia Day"), (4, 25, "Anzac Day"), _CHRISTMAS),
    (_NEW_YEAR, (4, 27, "King's Day"), _CHRISTMAS),
    ((1, 26, "Republic Day"), (8, 15, "Independence Day"), (10, 2, "Gandhi Jayanti")),
    ((3, 23, "Pakistan Day"), (8, 14, "Independence Day")),
    (_NEW_YEAR, _MAY_DAY, (6, 12, "Independence Day"), _CHRISTMAS),
    (_NEW_YEAR, (8, 24, "Independence Day"), _CHRISTMAS),
    (_NEW_YEAR, _MAY_DAY, (5, 3, "Constitution Day"), (11, 11, "Independence Day"), _CHRISTMAS),
    (_NEW_YEAR, _MAY_DAY, (9, 7, "Independence Day"), _CHRISTMAS),
    (_NEW_YEAR, _MAY_DAY, (10, 1, "Independence Day"), _CHRISTMAS),
    (_NEW_YEAR, (4, 30, "Reunification Day"), _MAY_DAY, (9, 2, "National Day")),
    (_NEW_YEAR, _MAY_DAY, (12, 1, "Great Union Day"), _CHRISTMAS),
)


def is_holiday(country: Array, day: Ints) -> Flags:
    """Tell for each day (since 1970-01-01, UTC) whether it is a holiday of the country with that number."""
    dates = day.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    of_year = (months.astype(np.int64) % 12 + 1) * 100 + (dates - months).astype(np.int64) + 1
    found: Flags = np.zeros(len(day), dtype=bool)
    for number, holidays in enumerate(HOLIDAYS):
        found |= (country == number) & np.isin(of_year, [month * 100 + date for month, date, _ in holidays])
    return found


def holidays_of(years: range) -> list[tuple[int, int, str]]:
    """Return the number of the country, the day since 1970-01-01 and the name of every holiday of some years."""
    return [
        (number, int(datetime(year, month, date, tzinfo=UTC).timestamp()) // 86_400, name)
        for year in years
        for number, holidays in enumerate(HOLIDAYS)
        for month, date, name in holidays
    ]
