"""T3, account takeover: a stranger enters an established account, pays an accomplice or empties it."""

from __future__ import annotations

import numpy as np

from simulation.fraud.actions import Deal, Place, Withdrawal
from simulation.fraud.clients import Client, Clients
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS

TYPOLOGY = "T3"
_KNOWN_DAYS = 10
_EMPTIED_PER_PAYMENT = 0.25


def run_takeovers(under: Underworld, clients: Clients, quota: int) -> None:
    """Take over clients until ``quota`` further approved payments are made, and some freelancers besides."""
    goal = under.approved + quota
    device, device_uses = under.number(), 0
    while under.approved < goal:
        device_uses += 1
        if under.chance(0.6) or device_uses > int(under.rng.integers(2, 6)):
            device, device_uses = under.number(), 0
        _pay_as(under, clients.any(), device, goal)
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


def _pay_as(under: Underworld, victim: Client, device: int, goal: int) -> None:
    """Pay one to three times from a client's account, mostly with the card the client had used.

    Almost half of the time from the victim's own place: malware acts where its owner is logged in.
    """
    rng = under.rng
    at = victim.paid_ms + int(rng.uniform(0.5, _KNOWN_DAYS) * DAY_MS)
    place = under.place(device, int(under.people["country"][victim.account]))
    if under.chance(0.38):
        place = victim.place
    else:
        _enter(under, at, victim.account, place)
    card = under.card(place.ip_country) if under.chance(0.2) else victim.card
    deal = Deal(
        payer=victim.account,
        payee=under.accomplice(at),
        contract=under.number(),
        currency=victim.currency,
        typology=TYPOLOGY,
    )
    usual = float(np.log(victim.minor / 100))
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
