"""What a fraudster holds and does: places, cards, accounts, payment attempts, logins, bids, withdrawals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """From where one acts: a device number and an address; the country is a number of ``geography``."""

    device: int
    ip: int
    ip_country: int
    ip_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A payment instrument."""

    instrument: int
    card_country: int
    funding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """Who pays whom under which contract, its typology, and whether it is fraud or a warm-up."""

    payer: int
    payee: int
    contract: int
    currency: str
    typology: str
    is_fraud: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A sign-up; ``hand`` is the account its person opened first, ``typology`` what it was opened or bought for.

    ``referrer`` is the account that invited it, -1 where none did.
    """

    account: int
    hand: int
    referrer: int
    typology: str
    new_method_ms: int
    role: str
    country: int
    signup_ms: int
    signup_device: int
    signup_ip: int
    email_domain: str
    phone_country: int
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A payment attempt; amounts in minor units of ``currency``."""

    ms: int
    payer: int
    payee: int
    contract: int
    minor: int
    instrument: int
    card_country: int
    funding: str
    device: int
    ip: int
    ip_country: int
    ip_type: str
    currency: str
    avs: str
    cvc: str
    three_ds: bool
    approved: bool
    decline_code: str
    is_fraud: bool
    typology: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login, a failed one, or a change to the login's safety."""

    ms: int
    account: int
    kind: str
    device: int
    ip: int
    ip_country: int
    ip_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """A proposal for the newest job post, with the credits paid to be shown first."""

    ms: int
    account: int
    credits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Money leaving an account; ``usd_cents`` before conversion, ``method`` a payout method's number."""

    ms: int
    account: int
    method: int
    method_kind: str
    method_added_ms: int
    usd_cents: int
    device: int
    ip_country: int
