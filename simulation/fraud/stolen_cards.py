"""T1, stolen cards: a new client pays an accomplice with a stolen card, often after some declines.

Most such accounts sit in rings that share devices, cards and payees, and rotate them. The countries of their
foreign cards change from quarter to quarter.
"""

from __future__ import annotations

import numpy as np

from simulation import geography
from simulation.fraud.actions import Card, Deal, Place
from simulation.fraud.underworld import Underworld
from simulation.population import DAY_MS, HOUR_MS
from simulation.streams import mixed

TYPOLOGY = "T1"
_LARGEST_RING = 40
_QUARTER_DAYS = 91


def run_stolen_cards(under: Underworld, quota: int) -> None:
    """Let rings and loners act until ``quota`` further approved payments are made."""
    goal = under.approved + quota
    while under.approved < goal:
        members = 1
        if under.chance(under.settings.fraud.in_rings * 0.25):
            members = min(_LARGEST_RING, 3 + int(under.rng.pareto(1.3) * 4))
        _Ring(under, members).run(goal)


class _Ring:
    """Accounts of one hand within some weeks; one member is a loner."""

    def __init__(self, under: Underworld, members: int) -> None:
        self.under = under
        self.members = members
        self.start = under.moment() - 20 * DAY_MS
        self.sharing = float(under.rng.uniform(0.1, 0.6))
        self.payees = [under.accomplice(self.start) for _ in range(1 + members // 5)]
        self.cards: list[Card] = []
        self.device = under.number()
        self.uses_left = int(under.rng.integers(2, 7))

    def run(self, goal: int) -> None:
        weeks = 0.3 + float(self.under.rng.uniform(1, 6)) * min(1.0, self.members / 5)
        for _ in range(self.members):
            if self.under.approved >= goal:
                return
            self._spend(self.start + int(self.under.rng.random() * weeks * 7 * DAY_MS))

    def _next_device(self) -> int:
        """Return the shared device, renewed after some accounts, or one bought for this account."""
        if not self.under.chance(self.sharing):
            return self.under.number()
        self.uses_left -= 1
        if self.uses_left < 0:
            self.device, self.uses_left = self.under.number(), int(self.under.rng.integers(2, 7))
        return self.device

    def _next_card(self, country: int, at: int) -> Card:
        """Return a card of the ring's pool or a freshly stolen one."""
        if self.cards and self.under.chance(0.15):
            return self.cards[int(self.under.rng.integers(len(self.cards)))]
        card = self.under.card(country, self._abroad(at))
        self.cards.append(card)
        return card

    def _abroad(self, at: int) -> int | None:
        """Return the country whose cards are for sale this quarter; None for any."""
        if not self.under.chance(self.under.settings.fraud.drift):
            return None
        quarter = np.array([at // (_QUARTER_DAYS * DAY_MS)])
        return int(mixed(quarter, f"cards for sale:{self.under.settings.seed}")[0] % len(geography.COUNTRIES))

    def _payee(self, at: int) -> int:
        """Return an accomplice, or now and then an honest freelancer who will be out of pocket."""
        if self.under.chance(0.45):
            return self.under.freelancer(at)
        return self.payees[int(self.under.rng.integers(len(self.payees)))]

    def _deal(self, payer: int, at: int, country: int, *, is_fraud: bool) -> Deal:
        return Deal(
            payer=payer,
            payee=self._payee(at) if is_fraud else self.under.freelancer(at),
            contract=self.under.number(),
            currency=str(geography.CURRENCY[country]),
            typology=TYPOLOGY if is_fraud else "",
            is_fraud=is_fraud,
        )

    def _warm_up(self, payer: int, signup: int, at: int, place: Place, country: int) -> None:
        """Make an account look used: one to four small payments with an own card before the first fraud."""
        under = self.under
        card = under.card(country)
        for moment in under.rng.uniform(signup, at, int(under.rng.integers(1, 5))):
            deal = self._deal(payer, int(moment), country, is_fraud=False)
            minor = under.amount(float(under.rng.normal(4.2, 0.7)))
            under.pay(int(moment), deal, card, place, minor)

    def _spend(self, signup: int) -> None:
        """Sign up, wait, try cards, and pay one to four times with those that work."""
        under, rng = self.under, self.under.rng
        country = under.country()
        place = under.place(self._next_device(), country)
        account = under.sign_up(signup, "client", country, place)
        aged = under.chance(0.5)
        wait = rng.uniform(5, 90) * 24 if aged else rng.lognormal(2.4, 1.5)
        at = signup + int(wait * HOUR_MS)
        if aged and under.chance(0.6):
            self._warm_up(account, signup, at, place, country)
        card = self._next_card(country, at)
        level = float(rng.normal(5.0, 0.75))
        for _ in range(min(4, int(rng.geometric(0.5)))):
            deal = self._deal(account, at, country, is_fraud=True)
            minor = under.amount(level + float(rng.normal(0, 0.3)))
            for _ in range(int(rng.choice(5, p=(0.78, 0.13, 0.05, 0.03, 0.01)))):
                under.decline(at, deal, card, place, minor)
                at += int(rng.integers(30_000, 1_200_000))
                card = self._next_card(country, at) if under.chance(0.45) else card
            under.pay(at, deal, card, place, minor)
            at += int(rng.exponential(1.6) * DAY_MS)
            if under.chance(0.25):
                place = under.place(place.device, country)
