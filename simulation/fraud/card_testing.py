"""T2, card testing: tiny attempts over many cards on few devices, then purchases with those that work."""

from __future__ import annotations

from simulation import geography
from simulation.fraud.actions import Card, Deal, Place
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS

TYPOLOGY = "T2"


def run_card_testing(under: Underworld, quota: int) -> None:
    """Run campaigns until ``quota`` further approved payments, tests included, are made."""
    goal = under.approved + quota
    while under.approved < goal:
        _campaign(under, goal)


def _campaign(under: Underworld, goal: int) -> None:
    """Test cards within hours, or slowly over days, then shop with the good ones."""
    rng = under.rng
    start = under.moment()
    slow = under.chance(0.6)
    tests = int(rng.integers(10, 25) if slow else rng.integers(20, 90))
    span = rng.uniform(2, 6) * DAY_MS if slow else rng.uniform(0.5, 3) * HOUR_MS
    country = under.country()
    devices = [under.number() for _ in range(1 + tests // 8)]
    deals = []
    for device in devices:
        signup = start - int(rng.exponential(60 if slow else 8) * HOUR_MS)
        payer = under.sign_up(signup, "client", country, under.place(device, country))
        deals.append(_deal(under, payer, start, country))
    for at in sorted(start + int(moment * span) for moment in rng.random(tests)):
        if under.approved >= goal:
            return
        pick = int(rng.integers(len(devices)))
        place = under.place(devices[pick], country)
        card = under.card(country)
        minor = int(rng.integers(50, 900))
        if under.chance(0.93):
            under.decline(at, deals[pick], card, place, minor)
        else:
            under.pay(at, deals[pick], card, place, minor)
            _shop(under, at, card, country, place)


def _deal(under: Underworld, payer: int, at: int, country: int) -> Deal:
    payee = under.accomplice(at) if under.chance(0.5) else under.freelancer(at)
    currency = str(geography.CURRENCY[country])
    return Deal(payer=payer, payee=payee, contract=under.number(), currency=currency, typology=TYPOLOGY)


def _shop(under: Underworld, tested_at: int, card: Card, country: int, tested_from: Place) -> None:
    """Use a good card one to three times some days later, mostly from a fresh device and account."""
    rng = under.rng
    at = tested_at + int(rng.uniform(0.2, 5) * DAY_MS)
    device = tested_from.device if under.chance(0.3) else under.number()
    place = under.place(device, country)
    payer = under.sign_up(at - int(rng.lognormal(2.5, 1.2) * HOUR_MS), "client", country, place)
    deal = _deal(under, payer, at, country)
    level = float(rng.normal(5.1, 0.6))
    for _ in range(int(rng.integers(1, 4))):
        under.pay(at, deal, card, place, under.amount(level))
        at += int(rng.exponential(20) * HOUR_MS)
