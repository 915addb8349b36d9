"""T7, pass-through: a made-up client pays a made-up freelancer in round sums, who withdraws at once.

Hardly anyone complains, so most of it never gets a label.
"""

from __future__ import annotations

from simulation import geography
from simulation.fraud.actions import Deal
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS

TYPOLOGY = "T7"


def run_laundering(under: Underworld, quota: int) -> None:
    """Pass money through until ``quota`` further approved payments are made."""
    goal = under.approved + quota
    while under.approved < goal:
        _pass_through(under, goal)


def _pass_through(under: Underworld, goal: int) -> None:
    """Pay a series of round sums over some weeks between two accounts of one hand."""
    rng = under.rng
    at = under.moment()
    country = under.country()
    place = under.place(under.number(), country)
    signup = at - int(rng.uniform(1, 60) * DAY_MS)
    payer = under.sign_up(signup, "client", country, place)
    payee = under.accomplice(at)
    under.hasty.add(payee)
    deal = Deal(
        payer=payer,
        payee=payee,
        contract=under.number(),
        currency=str(geography.CURRENCY[country]),
        typology=TYPOLOGY,
    )
    card = under.card(country)
    for _ in range(int(rng.integers(3, 8))):
        if under.approved >= goal:
            return
        card = under.card(country) if under.chance(0.3) else card
        minor = int(rng.choice((300, 450, 500, 900, 950, 1500, 1900, 2900))) * 100
        under.pay(at, deal, card, place, minor)
        at += int(rng.exponential(4) * DAY_MS)
        place = under.place(place.device, country)
