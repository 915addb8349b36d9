"""Countries with their share of clients and freelancers, clocks, currencies and address ranges."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Ints
from simulation.holidays import is_holiday
from simulation.streams import happens, mixed

COUNTRIES = np.array(
    ["US", "GB", "DE", "FR", "CA", "AU", "NL", "IN", "PK", "PH", "UA", "PL", "BR", "NG", "VN", "RO"]
)
CLIENT_WEIGHTS = np.array([40, 12, 7, 5, 8, 6, 4, 5, 1, 1, 1, 2, 3, 2, 1, 2], dtype=float)
FREELANCER_WEIGHTS = np.array([12, 4, 2, 2, 2, 1, 1, 24, 14, 12, 7, 4, 5, 4, 4, 2], dtype=float)
UTC_OFFSET_HOURS = np.array([-6, 0, 1, 1, -5, 10, 1, 5, 5, 8, 2, 1, -3, 1, 7, 2])
CURRENCY = np.array(
    ["USD", "GBP", "EUR", "EUR", "USD", "USD", "EUR", "INR"] + ["USD"] * 3 + ["EUR"] + ["USD"] * 3 + ["EUR"]
)
CURRENCIES = np.array(["USD", "EUR", "GBP", "INR"])
CHECKED_COUNTRIES = 6  # the first six answer address checks
_USD_PPM = np.array([1_000_000, 1_085_000, 1_270_000, 11_900])
_SATURDAY = 5
_FIRST_OCTET = np.array([23, 81, 84, 90, 99, 101, 145, 49, 39, 112, 46, 83, 177, 102, 113, 86])


def usd_ppm(currency: Array, at_ms: Ints) -> Ints:
    """Return dollars per unit of ``currency``, in millionths; a rate holds for a day and moves within 2 %."""
    index = np.searchsorted(CURRENCIES, currency, sorter=np.argsort(CURRENCIES))
    kind = np.argsort(CURRENCIES)[index]
    day = at_ms // 86_400_000
    swing = (20_000 * np.sin(day / 17.0 + kind * 1.7)).astype(np.int64)
    moved = _USD_PPM[kind] * (1_000_000 + swing) // 1_000_000
    rate: Ints = np.where(kind == 0, 1_000_000, moved)
    return rate


def address(country: Array, number: Array, salt: str) -> Ints:
    """Return a 32-bit IPv4 number in the country's range; equal numbers give equal addresses."""
    rest = mixed(number, salt) & 0xFFFFFF
    found: Ints = (_FIRST_OCTET[country].astype(np.int64) << 24) | rest
    return found


def draw_countries(rng: np.random.Generator, weights: Array, count: int) -> Ints:
    """Draw country numbers by weight."""
    drawn: Ints = rng.choice(len(COUNTRIES), size=count, p=weights / weights.sum()).astype(np.int64)
    return drawn


def working_time(rng: np.random.Generator, at_ms: Ints, country: Array) -> Ints:
    """Move the hour of every moment into the country's waking day, and half of weekends and holidays to other days."""
    day = at_ms // 86_400_000
    count = len(day)
    weekend = (day + 3) % 7 >= _SATURDAY
    day = np.where(weekend & happens(rng, 0.5, count), day - 2, day)
    day = np.where(is_holiday(country, day) & happens(rng, 0.5, count), day + 1, day)
    local = np.where(happens(rng, 0.85, count), rng.normal(14.0, 3.5, count), rng.uniform(0, 24, count))
    hours = (local - UTC_OFFSET_HOURS[country]) % 24.0
    moved: Ints = day * 86_400_000 + (hours * 3_600_000).astype(np.int64)
    return moved
