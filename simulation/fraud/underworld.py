"""What all fraudsters share: number ranges for what they make up, helpers to act, and the record of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation import geography
from simulation.columns import Columns, Flags, Ints, from_rows
from simulation.fraud.actions import Account, Attempt, Bid, Card, Deal, Login, Place, Withdrawal
from simulation.honest_payments import round_money
from simulation.population import CHANNELS, DAY_MS, EMAIL_DOMAINS, THROW_AWAY
from simulation.settings import SimulationSettings
from simulation.streams import stream

_MADE_UP_FIRST = 5_000_000_000
_PLACES = ("proxy", "hosting", "vpn", "abroad")
_DECLINE_CODES = ("do_not_honor", "insufficient_funds", "incorrect_cvc", "expired_card", "suspected_fraud")


def is_made_up(numbers: Ints) -> Flags:
    """Tell which devices, cards, contracts and payout methods no honest person has."""
    made_up: Flags = numbers >= _MADE_UP_FIRST
    return made_up


class Underworld:
    """Records every act of fraud; what lies outside the period is forgotten at once.

    Attributes:
        people: the honest accounts, some of whom become accomplices or victims.
        hasty: payees who withdraw as soon as money comes in.
    """

    def __init__(self, settings: SimulationSettings, people: Columns) -> None:
        self.settings = settings
        self.people = people
        self.rng = stream(settings.seed, "underworld")
        self.accounts: list[Account] = []
        self.attempts: list[Attempt] = []
        self.logins: list[Login] = []
        self.bids: list[Bid] = []
        self.withdrawals: list[Withdrawal] = []
        self.hasty: set[int] = set()
        self.approved = 0
        self._next = _MADE_UP_FIRST
        self._next_account = len(people["account"])

    @property
    def boosted(self) -> Columns:
        """The bids of rings that are shown first: ms, account, credits."""
        return from_rows(self.bids, Bid)

    def chance(self, share: float) -> bool:
        """Draw one truth with the probability ``share``."""
        return bool(self.rng.random() < share)

    def number(self) -> int:
        """Return a number nobody has: a new device, card, contract or payout method."""
        self._next += 1
        return self._next

    def moment(self) -> int:
        """Return an evenly drawn millisecond of the period."""
        return int(self.rng.integers(self.settings.start_ms, self.settings.end_ms))

    def country(self) -> int:
        """Return a country as clients have it."""
        return int(geography.draw_countries(self.rng, geography.CLIENT_WEIGHTS, 1)[0])

    def place(self, device: int, claimed: int) -> Place:
        """Return a place: mostly a residential proxy in the claimed country, else hosting, VPN or abroad."""
        kind = str(self.rng.choice(_PLACES, p=(0.79, 0.03, 0.09, 0.09)))
        address = int(self.rng.integers(0, 1 << 40))
        if kind == "proxy":
            country, ip_type = claimed, "mobile" if self.chance(0.2) else "res"
        elif kind == "vpn":
            address = int(self.rng.integers(0, 60))
            country, ip_type = address % len(geography.COUNTRIES), "vpn"
        else:
            country = int(geography.draw_countries(self.rng, geography.FREELANCER_WEIGHTS, 1)[0])
            ip_type = "res" if kind == "abroad" else "hosting"
        salt = "vpn" if kind == "vpn" else "hotel"
        ip = int(geography.address(np.array([country]), np.array([address]), salt)[0])
        return Place(device=device, ip=ip, ip_country=country, ip_type=ip_type)

    def hosting(self, device: int, country: int) -> Place:
        """Return a rented server, the same address for the same device."""
        ip = int(geography.address(np.array([country]), np.array([device]), "hosting")[0])
        return Place(device=device, ip=ip, ip_country=country, ip_type="hosting")

    def card(self, claimed: int, abroad: int | None = None) -> Card:
        """Return a card nobody used before, mostly of the claimed country, else of ``abroad`` or any other."""
        country = claimed
        if not self.chance(0.85):
            country = self.country() if abroad is None else abroad
        funding = str(self.rng.choice(("credit", "debit", "prepaid"), p=(0.44, 0.39, 0.17)))
        return Card(instrument=self.number(), card_country=country, funding=funding)

    def sign_up(
        self,
        at: int,
        role: str,
        country: int,
        place: Place,
        *,
        typology: str = "",
        hand: int | None = None,
        new_method_ms: int | None = None,
        referrer: int | None = None,
    ) -> int:
        """Open an account and return its number.

        Args:
            at: when.
            role: client or freelancer.
            country: the country it claims.
            place: from where it signs up.
            typology: what it is for, where its payments do not tell.
            hand: the account that its person opened first; itself unless given.
            new_method_ms: when it adds another payout method; never unless given.
            referrer: the account whose link it follows, mostly with a throw-away address; none unless given.
        """
        account = self._next_account
        self._next_account += 1
        elsewhere = int(geography.draw_countries(self.rng, geography.FREELANCER_WEIGHTS, 1)[0])
        domain = str(self.rng.choice(EMAIL_DOMAINS, p=(0.52, 0.17, 0.1, 0.1, 0.11)))
        phone_country = elsewhere if self.chance(0.15) else country
        channel = str(self.rng.choice(CHANNELS, p=(0.42, 0.25, 0.12, 0.17, 0.04)))
        row = Account(
            account=account,
            hand=account if hand is None else hand,
            referrer=-1 if referrer is None else referrer,
            typology=typology,
            new_method_ms=self.settings.end_ms if new_method_ms is None else new_method_ms,
            role=role,
            country=country,
            signup_ms=at,
            signup_device=place.device,
            signup_ip=place.ip,
            email_domain=domain if referrer is None or self.chance(0.4) else THROW_AWAY,
            phone_country=phone_country,
            channel=channel if referrer is None else "referral",
        )
        self.accounts.append(row)
        return account

    def freelancer(self, at: int) -> int:
        """Return an honest freelancer who had signed up by then, the busier the likelier."""
        known = np.flatnonzero((self.people["role"] != "client") & (self.people["signup_ms"] < at))
        weight = self.people["popularity"][known]
        return int(self.rng.choice(known, p=weight / weight.sum()))

    def accomplice(self, at: int) -> int:
        """Return a payee who plays along: mostly an established freelancer, else one signed up for it."""
        if self.chance(0.75):
            payee = self.freelancer(at)
        else:
            country = int(geography.draw_countries(self.rng, geography.FREELANCER_WEIGHTS, 1)[0])
            since = at - int(self.rng.uniform(3, 120) * DAY_MS)
            payee = self.sign_up(since, "freelancer", country, self.place(self.number(), country))
        if self.chance(0.6):
            self.hasty.add(payee)
        return payee

    def amount(self, log_amount: float) -> int:
        """Return minor units for the log of an amount, rounded as honest people round."""
        return int(round_money(self.rng, np.array([log_amount]))[0])

    def pay(self, at: int, deal: Deal, card: Card, place: Place, minor: int) -> None:
        """Record an approved attempt; it counts as one fraud unless the deal is a warm-up."""
        if self._is_inside(at):
            self.attempts.append(self._approved(at, deal, card, place, minor))
            self.approved += deal.is_fraud

    def decline(self, at: int, deal: Deal, card: Card, place: Place, minor: int) -> None:
        """Record a declined attempt."""
        if self._is_inside(at):
            code = str(self.rng.choice(_DECLINE_CODES, p=(0.40, 0.22, 0.18, 0.05, 0.15)))
            attempt = self._approved(at, deal, card, place, minor)
            self.attempts.append(replace(attempt, approved=False, decline_code=code))

    def _is_inside(self, at: int) -> bool:
        return self.settings.start_ms <= at < self.settings.end_ms

    def _approved(self, at: int, deal: Deal, card: Card, place: Place, minor: int) -> Attempt:
        checked = card.card_country < geography.CHECKED_COUNTRIES
        avs_odds = (0.78, 0.13, 0.09) if checked else (0.15, 0.08, 0.77)
        choose = self.rng.choice
        return Attempt(
            ms=at,
            payer=deal.payer,
            payee=deal.payee,
            contract=deal.contract,
            minor=minor,
            instrument=card.instrument,
            card_country=card.card_country,
            funding=card.funding,
            device=place.device,
            ip=place.ip,
            ip_country=place.ip_country,
            ip_type=place.ip_type,
            currency=deal.currency,
            avs=str(choose(("match", "mismatch", "unavailable"), p=avs_odds)),
            cvc=str(choose(("match", "mismatch", "absent"), p=(0.80, 0.05, 0.15))),
            three_ds=self.chance(0.14),
            approved=True,
            decline_code="",
            is_fraud=deal.is_fraud,
            typology=deal.typology,
        )

    def bid(self, at: int, account: int, boost: int) -> None:
        """Record a proposal that is shown first."""
        if self._is_inside(at):
            self.bids.append(Bid(ms=at, account=account, credits=boost))

    def log_in(self, at: int, account: int, kind: str, place: Place) -> None:
        """Record one act on a login."""
        row = Login(
            ms=at,
            account=account,
            kind=kind,
            device=place.device,
            ip=place.ip,
            ip_country=place.ip_country,
            ip_type=place.ip_type,
        )
        self.logins.append(row)
