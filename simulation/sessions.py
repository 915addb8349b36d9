"""From where an honest account acts: device, address and its country, one row per action."""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Ints
from simulation.population import main_device
from simulation.streams import belongs, choice, happens, mixed

_FRESH_FIRST = 1_000_000_000
_VPN_ADDRESSES = 60


def honest_sessions(rng: np.random.Generator, people: Columns, who: Ints, at_ms: Ints) -> Columns:
    """Return device, ip, ip_country and ip_type of each action of ``who`` at ``at_ms``.

    Mostly the usual device at home; now and then another device, a mobile network, a trip or a VPN.
    """
    fresh = _FRESH_FIRST + mixed(who * 1_000_003 + at_ms // 86_400_000, "fresh device") % 900_000_000
    kind = choice(rng, ("usual", "second", "fresh"), (80, 12, 8), len(who))
    device = np.select(
        [kind == "usual", kind == "second"],
        [main_device(people, who, at_ms), people["hand"][who] * 8 + 2],
        fresh,
    )
    return {"device": device} | _network(rng, people, who, at_ms)


def _network(rng: np.random.Generator, people: Columns, who: Ints, at_ms: Ints) -> Columns:
    """Return the address of each action; a trip beats home, a VPN beats both."""
    count = len(who)
    travels = (at_ms >= people["trip_from"][who]) & (at_ms < people["trip_until"][who])
    country = np.where(travels, people["trip_country"][who], people["country"][who])
    office = people["office"][who]
    place = np.where(office >= 0, 3_000_000_000 + office, people["hand"][who])
    place = np.where(travels, who * 31 + at_ms // 864_000_000, place)
    home = geography.address(country, place, "home")
    mobile = geography.address(country, rng.integers(0, 300, count), "mobile")
    hotel = geography.address(country, rng.integers(0, 1 << 40, count), "hotel")
    net = choice(rng, ("home", "mobile", "hotel"), (73, 22, 5), count)
    ip = np.select([net == "home", net == "mobile"], [home, mobile], hotel)
    kind = np.where(net == "mobile", "mobile", "res")
    tunnel = rng.integers(0, _VPN_ADDRESSES, count)
    exit_country = tunnel % len(geography.COUNTRIES)
    hidden = people["uses_vpn"][who] & happens(rng, 0.6, count)
    ip = np.where(hidden, geography.address(exit_country, tunnel, "vpn"), ip)
    country = np.where(hidden, exit_country, country)
    return {"ip": ip, "ip_country": country, "ip_type": np.where(hidden, "vpn", kind)}


def honest_cards(rng: np.random.Generator, people: Columns, who: Ints, at_ms: Ints) -> Columns:
    """Return instrument, card_country and funding of each payment: first, second, renewed or office card."""
    count = len(who)
    number = who * 4 + np.where(at_ms >= people["new_card_ms"][who], 2, 0)
    second = belongs(who, "second card", 0.3) & happens(rng, 0.3, count)
    number = np.where(second, who * 4 + 1, number)
    office = people["office"][who]
    number = np.where((office >= 0) & (office % 2 == 0), 3_000_000_000 + office, number)
    abroad = mixed(number, "card country") % len(geography.COUNTRIES)
    country = np.where(belongs(number, "foreign card", 0.09), abroad, people["country"][who])
    return {"instrument": number, "card_country": country, "funding": _funding(number)}


def _funding(number: Ints) -> Array:
    """Return credit, debit or prepaid, fixed by the card."""
    prepaid = belongs(number, "prepaid", 0.14)
    return np.where(prepaid, "prepaid", np.where(belongs(number, "debit", 0.46), "debit", "credit"))
