"""T6, self-dealing: one hand hires itself in small contracts, done within a day, for the five stars they end with.

The money is its own and nobody disputes it: these payments are not fraud, the contracts are.
"""

from __future__ import annotations

from dataclasses import replace

from simulation import geography
from simulation.fraud.actions import Card, Deal, Place
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS

TYPOLOGY = "T6"


def run_self_dealing(under: Underworld, wanted: int) -> None:
    """Let ``wanted`` freelancers farm ratings, each through one to three clients of the same hand."""
    for _ in range(wanted):
        _farm(under)


def _farm(under: Underworld) -> None:
    rng = under.rng
    at = under.moment()
    country = int(geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, 1)[0])
    place = under.place(under.number(), country)
    opened = at - int(rng.uniform(2, 40) * DAY_MS)
    freelancer = under.sign_up(opened, "freelancer", country, place, typology=TYPOLOGY)
    card = under.card(country)
    for _ in range(int(rng.integers(1, 4))):
        is_careless = under.chance(0.6)
        other = place if is_careless else under.place(under.number(), country)
        client = under.sign_up(
            at - int(rng.exponential(2) * DAY_MS) - 60_000,
            "client",
            country,
            other,
            typology=TYPOLOGY,
            hand=freelancer if is_careless else None,
        )
        deal = Deal(
            payer=client,
            payee=freelancer,
            contract=0,
            currency=str(geography.CURRENCY[country]),
            typology=TYPOLOGY,
            is_fraud=False,
        )
        at = _hire(under, deal, card, other, at)


def _hire(under: Underworld, deal: Deal, card: Card, place: Place, at: int) -> int:
    """Pay for two to six contracts one after the other; return when the next client may begin."""
    rng = under.rng
    for _ in range(int(rng.integers(2, 7))):
        minor = under.amount(float(rng.normal(3.3, 0.4)))
        under.pay(at, replace(deal, contract=under.number()), card, place, minor)
        at += int(rng.exponential(1.2) * DAY_MS)
    return at
