"""T3, account takeover: a stranger enters an established account, pays an accomplice or empties it."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, take
from simulation.fraud.actions import Card, Deal, Place, Withdrawal
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS

TYPOLOGY = "T3"
_KNOWN_DAYS = 10
_EMPTIED_PER_PAYMENT = 0.25


def run_takeovers(under: Underworld, honest: Columns, quota: int) -> None:
    """Take over clients until ``quota`` further approved payments are made, and some freelancers besides."""
    goal = under.approved + quota
    approved = take(honest, np.flatnonzero(honest["approved"]))
    device, device_uses = under.number(), 0
    while under.approved < goal:
        device_uses += 1
        if under.chance(0.6) or device_uses > int(under.rng.integers(2, 6)):
            device, device_uses = under.number(), 0
        _pay_as(under, approved, device, goal)
    for _ in range(int(quota * _EMPTIED_PER_PAYMENT)):
        _empty(under, under.number())


def _enter(under: Underworld, at: int, victim: int, place: Place) -> None:
    """Get in: mostly after failed logins or a password reset, sometimes with the right password at once."""
    rng = under.rng
    before = at - int(rng.lognormal(3.2, 1.0) * 60_000)
    for _ in range(int(rng.choice(4, p=(0.65, 0.2, 0.1, 0.05)))):
        kind = "mfa_fail" if under.chance(0.3) else "login_fail"
        under.log_in(before - int(rng.integers(20_000, 600_000)), victim, kind, place)
    if under.chance(0.1):
        under.log_in(before - 10_000, victim, "pwd_reset", place)
    under.log_in(before, victim, "login_ok", place)
    if under.chance(0.1):
        under.log_in(before + 20_000, victim, "email_change", place)


def _hijacked(approved: Columns, row: int) -> Place:
    """Return the victim's own place: malware acts from the machine its owner is logged in on."""
    return Place(
        device=int(approved["device"][row]),
        ip=int(approved["ip"][row]),
        ip_country=int(approved["ip_country"][row]),
        ip_type=str(approved["ip_type"][row]),
    )


def _pay_as(under: Underworld, approved: Columns, device: int, goal: int) -> None:
    """Pay one to three times from a client's account, mostly with the card the client had used."""
    rng = under.rng
    row = int(rng.integers(len(approved["ms"])))
    victim = int(approved["payer"][row])
    at = int(approved["ms"][row]) + int(rng.uniform(0.5, _KNOWN_DAYS) * DAY_MS)
    place = under.place(device, int(under.people["country"][victim]))
    if under.chance(0.45):
        place = _hijacked(approved, row)
    else:
        _enter(under, at, victim, place)
    card = Card(
        instrument=int(approved["instrument"][row]),
        card_country=int(approved["card_country"][row]),
        funding=str(approved["funding"][row]),
    )
    if under.chance(0.2):
        card = under.card(place.ip_country)
    deal = Deal(
        payer=victim,
        payee=under.accomplice(at),
        contract=under.number(),
        currency=str(approved["currency"][row]),
        typology=TYPOLOGY,
    )
    usual = float(np.log(approved["minor"][row] / 100))
    for _ in range(int(rng.integers(1, 4))):
        if under.approved >= goal:
            return
        minor = under.amount(usual + float(rng.normal(0.35, 0.6)))
        if under.chance(0.12):
            under.decline(at, deal, card, place, minor)
            at += int(rng.integers(60_000, 900_000))
        under.pay(at, deal, card, place, minor)
        at += int(rng.exponential(9) * HOUR_MS)


def _empty(under: Underworld, device: int) -> None:
    """Withdraw a freelancer's balance to a payout method added hours before."""
    rng = under.rng
    at = under.moment()
    victim = under.freelancer(at)
    place = under.place(device, int(under.people["country"][victim]))
    _enter(under, at, victim, place)
    row = Withdrawal(
        ms=at + int(rng.exponential(12) * HOUR_MS),
        account=victim,
        method=under.number(),
        method_kind=str(
            rng.choice(("bank", "wallet", "card_push", "crypto_exchange"), p=(0.2, 0.3, 0.2, 0.3))
        ),
        method_added_ms=at,
        usd_cents=int(rng.lognormal(6.0, 0.9) * 100),
        device=device,
        ip_country=place.ip_country,
    )
    under.withdrawals.append(row)
