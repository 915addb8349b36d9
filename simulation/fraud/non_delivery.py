"""T9, non-delivery: a bought account with a history takes large sums before it delivers anything, and is gone.

It is new: nobody did it before the last third of the period.
"""

from __future__ import annotations

from simulation import geography
from simulation.fraud.actions import Deal
from simulation.fraud.clients import Clients
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS

TYPOLOGY = "T9"
FIRST_SEEN = 2 / 3  # of the period


def run_non_delivery(under: Underworld, clients: Clients, quota: int) -> None:
    """Buy and burn accounts until ``quota`` further approved payments are made."""
    goal = under.approved + quota
    while under.approved < goal:
        _burn(under, clients, goal)


def _burn(under: Underworld, clients: Clients, goal: int) -> None:
    """Take over a bought freelancer, then be hired by two to six clients who pay at once."""
    rng, settings = under.rng, under.settings
    opens = settings.start_ms + int((settings.end_ms - settings.start_ms) * FIRST_SEEN)
    sold = int(rng.integers(opens, settings.end_ms))
    account = _history(under, clients, sold)
    buyer = under.place(under.number(), under.country())
    for kind, minutes in (("pwd_reset", 0), ("login_ok", 1), ("email_change", 4)):
        under.log_in(sold + minutes * 60_000, account, kind, buyer)
    under.hasty.add(account)
    for _ in range(int(rng.integers(2, 7))):
        at = sold + int(rng.exponential(4) * DAY_MS) + HOUR_MS
        client = clients.by(at)
        deal = Deal(
            payer=client.account,
            payee=account,
            contract=under.number(),
            currency=client.currency,
            typology=TYPOLOGY,
        )
        under.log_in(at - int(rng.uniform(5, 90) * 60_000), account, "login_ok", buyer)
        for _ in range(int(rng.integers(1, 3))):
            if under.approved >= goal:
                return
            under.pay(at, deal, client.card, client.place, under.amount(float(rng.normal(6.0, 0.5))))
            at += int(rng.exponential(30) * HOUR_MS)


def _history(under: Underworld, clients: Clients, sold: int) -> int:
    """Open an account months before it is sold, and let it do some small honest work."""
    rng = under.rng
    country = int(geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, 1)[0])
    opened = sold - int(rng.uniform(150, 700) * DAY_MS)
    place = under.place(under.number(), country)
    account = under.sign_up(
        opened, "freelancer", country, place, typology=TYPOLOGY, new_method_ms=sold + HOUR_MS
    )
    for at in rng.uniform(max(opened, under.settings.start_ms), sold, int(rng.integers(1, 5))):
        client = clients.by(int(at))
        deal = Deal(
            payer=client.account,
            payee=account,
            contract=under.number(),
            currency=client.currency,
            typology="",
            is_fraud=False,
        )
        under.pay(int(at), deal, client.card, client.place, under.amount(float(rng.normal(4.0, 0.5))))
    return account
