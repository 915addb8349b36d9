"""What platforms look up and nobody on them does: rates, card issuers, domains, holidays."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Columns, size, take
from simulation.holidays import holidays_of
from simulation.instruments import BANKS, FUNDING, issuer_bin
from simulation.population import DAY_MS, THROW_AWAY
from simulation.settings import SimulationSettings
from simulation.streams import mixed, stream

_UNSEEN_DOMAINS = 60
_LISTED_DAYS = 182
_YEARS_MS = 3 * 365 * DAY_MS


def reference_data(settings: SimulationSettings) -> dict[str, Columns]:
    """Return the rows of every such table by its log."""
    return {
        "exchange_rates": _exchange_rates(settings),
        "card_issuers": _card_issuers(settings),
        "throw_away_domains": _throw_away_domains(settings),
        "holidays": _holidays(settings),
    }


def _exchange_rates(settings: SimulationSettings) -> Columns:
    """Return a rate per currency and day, told at midnight, from the day before the period on."""
    days = np.arange(settings.start_ms // DAY_MS - 1, settings.end_ms // DAY_MS)
    day = np.repeat(days, len(geography.CURRENCIES))
    currency = np.tile(geography.CURRENCIES, len(days))
    ms = day * DAY_MS
    return {"ms": ms, "currency": currency, "usd_ppm": geography.usd_ppm(currency, ms)}


def _card_issuers(settings: SimulationSettings) -> Columns:
    """Return what the first digits of every card say: country, funding and bank, listed in the years before."""
    places = (len(geography.COUNTRIES), len(FUNDING), BANKS)
    country, kind, bank = (part.reshape(-1) for part in np.indices(places))
    rows = {
        "bin": issuer_bin(country, kind, bank),
        "country": country,
        "funding": np.array(FUNDING)[kind],
        "bank": country * BANKS + bank,
    }
    rows |= {"ms": settings.start_ms - 1 - mixed(rows["bin"], "listed") % _YEARS_MS}
    return take(rows, np.argsort(rows["ms"], kind="stable"))


def _throw_away_domains(settings: SimulationSettings) -> Columns:
    """Return the domains that give an address to anybody, most of them unseen here, as a list grows by them."""
    rng = stream(settings.seed, "throw-away domains")
    unseen = [f"box{n:02d}.example" for n in range(_UNSEEN_DOMAINS)]
    listed = settings.start_ms + ((rng.random(_UNSEEN_DOMAINS) - 0.5) * settings.days * DAY_MS).astype(
        np.int64
    )
    rows = {
        "domain": np.array([THROW_AWAY, *unseen]),
        "ms": np.append([settings.start_ms - 30 * DAY_MS], listed),
    }
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    return rows | {"number": np.arange(size(rows))}


def _holidays(settings: SimulationSettings) -> Columns:
    """Return the holidays of the period and half a year on, each listed half a year before it."""
    first, last = settings.day(0).year, settings.day(settings.days).year + 1
    country, day, name = zip(*holidays_of(range(first, last + 1)), strict=True)
    rows = {"country": np.array(country), "day": np.array(day), "name": np.array(name)}
    rows |= {"ms": (rows["day"] - _LISTED_DAYS) * DAY_MS}
    return take(rows, np.lexsort((rows["country"], rows["day"])))
