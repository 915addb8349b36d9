"""T8, rented identities: people somewhere else work under borrowed names, several accounts from one server.

Their clients are honest and mostly content: the payments are not fraud, the accounts are.
"""

from __future__ import annotations

from simulation import geography
from simulation.fraud.actions import Deal, Place
from simulation.fraud.clients import Clients
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS

TYPOLOGY = "T8"
_LARGEST_FARM = 12
_DAYS_BETWEEN_LOGINS = 3.0


def run_rented_identities(under: Underworld, clients: Clients, wanted: int) -> None:
    """Let farms of three to twelve accounts work until there are ``wanted`` of them."""
    while wanted > 0:
        members = min(wanted, int(under.rng.integers(3, _LARGEST_FARM + 1)))
        _farm(under, clients, members)
        wanted -= members


def _farm(under: Underworld, clients: Clients, members: int) -> None:
    """Open accounts in several countries within some weeks, all of one hand and on one server or two."""
    rng = under.rng
    begin = under.moment() - int(rng.uniform(0, 60) * DAY_MS)
    located = int(geography.draw_countries(rng, geography.FREELANCER_WEIGHTS, 1)[0])
    servers = [under.hosting(under.number(), located) for _ in range(1 + members // 7)]
    first: int | None = None
    for _ in range(members):
        claimed = int(geography.draw_countries(rng, geography.CLIENT_WEIGHTS, 1)[0])
        opened = begin + int(rng.uniform(0, 30) * DAY_MS)
        server = servers[int(rng.integers(len(servers)))]
        account = under.sign_up(opened, "freelancer", claimed, server, typology=TYPOLOGY, hand=first)
        first = account if first is None else first
        _work(under, clients, account, opened, server)


def _work(under: Underworld, clients: Clients, account: int, opened: int, server: Place) -> None:
    """Log in at all hours and be hired by up to four honest clients."""
    rng = under.rng
    at = max(opened, under.settings.start_ms)
    while at < under.settings.end_ms:
        at += int(rng.exponential(_DAYS_BETWEEN_LOGINS) * DAY_MS) + 60_000
        under.log_in(at, account, "login_ok", server)
    for _ in range(int(rng.integers(0, 5))):
        hired = opened + int(rng.exponential(25) * DAY_MS) + HOUR_MS
        client = clients.by(hired)
        deal = Deal(
            payer=client.account,
            payee=account,
            contract=under.number(),
            currency=client.currency,
            typology=TYPOLOGY,
            is_fraud=False,
        )
        for _ in range(int(rng.geometric(0.4))):
            under.pay(hired, deal, client.card, client.place, under.amount(float(rng.normal(5.2, 0.6))))
            hired += int(rng.gamma(1.5, 3.0) * DAY_MS)
