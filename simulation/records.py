"""The logs as the producers word them: one record per event, before the collector and before any dirt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Ints
from simulation.identifiers import ip_text, iso_text, opaque
from simulation.settings import SimulationSettings
from simulation.streams import mixed
from simulation.world import World

OLD_APP = "android-4.9"
OLD_APP_SHARE = 0.06
_APPS = np.array(["web"] * 60 + ["ios-5.2"] * 20 + ["android-5.1"] * 14 + [OLD_APP] * 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """One log: ``fields`` in file order, ``event_ms`` the producer's time, ``producer`` who sent it.

    ``device_field`` is the field that the old app fills with a placeholder, if the log has one.
    """

    log: str
    event_type: str
    event_ms: Ints
    producer: Array
    fields: Columns
    device_field: str | None
    from_server: bool


def records(settings: SimulationSettings, world: World) -> list[Records]:
    """Return the five logs of a world."""
    words = _Words(settings.seed)
    return [
        _accounts(words, world.accounts),
        _logins(words, world.logins),
        _payments(words, world.payments),
        _payouts(words, world.payouts),
        _disputes(words, world.disputes),
    ]


class _Words:
    """Turns the numbers of one world into the text of the logs."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def id(self, prefix: str, numbers: Array) -> Array:
        return opaque(prefix, self._seed, numbers)

    def app(self, device: Array) -> Array:
        """Return the app a device runs."""
        found: Array = _APPS[mixed(device, f"app:{self._seed}") % len(_APPS)]
        return found

    @staticmethod
    def country(numbers: Array) -> Array:
        found: Array = geography.COUNTRIES[numbers]
        return found

    @staticmethod
    def money(minor: Ints, currency: Array, at_ms: Ints) -> Columns:
        """Return amount as sent, currency, and amount_usd at the day's rate with four places."""
        in_usd = (minor * geography.usd_ppm(currency, at_ms) // 10_000).tolist()
        return {
            "amount": np.array([f"{m // 100}.{m % 100:02d}" for m in minor.tolist()], dtype=object),
            "currency": currency.astype(object),
            "amount_usd": np.array([f"{u // 10_000}.{u % 10_000:04d}" for u in in_usd]),
        }


def _accounts(words: _Words, rows: Columns) -> Records:
    fields = {
        "account_id": words.id("acc", rows["account"]),
        "role": rows["role"],
        "country": words.country(rows["country"]),
        "signup_device_id": words.id("dev", rows["signup_device"]),
        "signup_ip": ip_text(rows["signup_ip"]),
        "email_domain": rows["email_domain"],
        "phone_country": words.country(rows["phone_country"]),
        "channel": rows["channel"],
    }
    return Records(
        log="accounts",
        event_type="account_signed_up",
        event_ms=rows["signup_ms"],
        producer=words.app(rows["signup_device"]),
        fields=fields,
        device_field="signup_device_id",
        from_server=True,
    )


def _logins(words: _Words, rows: Columns) -> Records:
    account, hour = rows["account"], rows["ms"] // 3_600_000
    fields = {
        "account_id": words.id("acc", account),
        "kind": rows["kind"],
        "device_id": words.id("dev", rows["device"]),
        "ip": ip_text(rows["ip"]),
        "ip_country": words.country(rows["ip_country"]),
        "ip_type": rows["ip_type"],
        "session_id": words.id("ses", mixed(account, "session") + hour),
    }
    return Records(
        log="logins",
        event_type="login_attempted",
        event_ms=rows["ms"],
        producer=words.app(rows["device"]),
        fields=fields,
        device_field="device_id",
        from_server=False,
    )


def _payments(words: _Words, rows: Columns) -> Records:
    code = rows["decline_code"].astype(object)
    code[rows["approved"]] = None
    fields = {
        "payment_id": words.id("pay", rows["payment"]),
        "payer_id": words.id("acc", rows["payer"]),
        "payee_id": words.id("acc", rows["payee"]),
        "contract_id": words.id("con", rows["contract"]),
        "instrument_id": words.id("ins", rows["instrument"]),
        "card_country": words.country(rows["card_country"]),
        "funding": rows["funding"],
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        "device_id": words.id("dev", rows["device"]),
        "ip": ip_text(rows["ip"]),
        "ip_country": words.country(rows["ip_country"]),
        "auth_result": np.where(rows["approved"], "approved", "declined"),
        "decline_code": code,
        "avs": rows["avs"],
        "cvc": rows["cvc"],
        "three_ds": rows["three_ds"],
    }
    return Records(
        log="payments",
        event_type="payment_attempted",
        event_ms=rows["ms"],
        producer=words.app(rows["device"]),
        fields=fields,
        device_field="device_id",
        from_server=False,
    )


def _payouts(words: _Words, rows: Columns) -> Records:
    fields = {
        "payout_id": words.id("out", mixed(rows["account"], "payout") + rows["ms"]),
        "account_id": words.id("acc", rows["account"]),
        "payout_method_id": words.id("pom", rows["method"]),
        "method_kind": rows["method_kind"],
        "method_added_ts": iso_text(rows["method_added_ms"]),
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        "device_id": words.id("dev", rows["device"]),
        "ip_country": words.country(rows["ip_country"]),
    }
    return Records(
        log="payouts",
        event_type="payout_requested",
        event_ms=rows["ms"],
        producer=words.app(rows["device"]),
        fields=fields,
        device_field="device_id",
        from_server=False,
    )


def _disputes(words: _Words, rows: Columns) -> Records:
    is_claim = rows["kind"] == "refund_claim"
    fields = {
        "case_id": words.id("cas", rows["payment"] * 4 + np.where(rows["kind"] == "efw", 1, 2)),
        "payment_id": words.id("pay", rows["payment"]),
        "payer_id": words.id("acc", rows["payer"]),
        "payee_id": words.id("acc", rows["payee"]),
        "instrument_id": words.id("ins", rows["instrument"]),
        "device_id": words.id("dev", rows["device"]),
        "kind": rows["kind"],
        "reason_code": rows["reason_code"],
        "amount_usd": words.money(rows["minor"], rows["currency"], rows["paid_ms"])["amount_usd"],
        "opened_ts": iso_text(rows["ms"]),
    }
    return Records(
        log="disputes",
        event_type="dispute_opened",
        event_ms=rows["ms"],
        producer=np.where(is_claim, "support-desk", "card-processor"),
        fields=fields,
        device_field=None,
        from_server=True,
    )
