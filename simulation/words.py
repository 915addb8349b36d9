"""What turns the numbers of a world into the text of its logs, and the form in which a log is handed on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation import geography
from simulation.columns import Array, Columns, Flags, Ints
from simulation.identifiers import ip_text, opaque
from simulation.streams import mixed

OLD_APP = "android-4.9"
OLD_APP_SHARE = 0.06
_APPS = np.array(["web"] * 60 + ["ios-5.2"] * 20 + ["android-5.1"] * 14 + [OLD_APP] * 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """One log: ``fields`` in file order, ``event_ms`` the producer's time, ``producer`` who sent it.

    ``device_field`` is the field that the old app fills with a placeholder, if the log has one. ``dirt`` names the
    kinds of dirt the log may carry, where it is not those of any log. Rows with one number in ``together`` arrive
    at one moment. ``next_ms`` is when the same thing changes again; 0 where it does not. ``tells_past``: what
    happened before the period arrives in its first half hour, and is not left out. ``text_field`` is what a person
    wrote, if the log has such a field. ``ip_field`` is the field with the address and
    ``member_field`` the one with the account that a deleted user leaves dangling, if the log has such.
    ``is_taken_over`` marks rows of hijackers (T3), where that is known.
    ``is_retried``: a client that gets no answer tells the same under a new id. ``is_of_all``: the rows are those of
    every region, which one of them writes.
    """

    log: str
    event_type: str
    event_ms: Ints
    producer: Array
    fields: Columns
    device_field: str | None
    from_server: bool
    dirt: tuple[str, ...] | None = None
    together: Ints | None = None
    next_ms: Ints | None = None
    tells_past: bool = False
    text_field: str | None = None
    ip_field: str | None = None
    member_field: str | None = None
    is_taken_over: Flags | None = None
    is_retried: bool = False
    is_of_all: bool = False


class Words:
    """Turns the numbers of one world into the text of the logs."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def id(self, prefix: str, numbers: Array) -> Array:
        return opaque(prefix, self._seed, numbers)

    def id_or_none(self, prefix: str, numbers: Array) -> Array:
        """Return ids, and None for numbers below 0."""
        found = self.id(prefix, np.maximum(numbers, 0)).astype(object)
        found[numbers < 0] = None
        return found

    def app(self, device: Array) -> Array:
        """Return the app a device runs."""
        found: Array = _APPS[mixed(device, f"app:{self._seed}") % len(_APPS)]
        return found

    def place(self, rows: Columns) -> Columns:
        """Return from where each row was sent: device, address and its country."""
        return {
            "device_id": self.id("dev", rows["device"]),
            "ip": ip_text(rows["ip"]),
            "ip_country": self.country(rows["ip_country"]),
        }

    def of_apps(self, log: str, event_type: str, rows: Columns, fields: Columns) -> Records:
        """Return a log that the apps of members send, at ``ms`` from ``device``."""
        return Records(
            log=log,
            event_type=event_type,
            event_ms=rows["ms"],
            producer=self.app(rows["device"]),
            fields=fields,
            device_field="device_id",
            from_server=False,
            ip_field="ip" if "ip" in fields else None,
        )

    @staticmethod
    def of_server(log: str, event_type: str, rows: Columns, fields: Columns, producer: str) -> Records:
        """Return a log that one server of the platform writes."""
        return Records(
            log=log,
            event_type=event_type,
            event_ms=rows["ms"],
            producer=np.full(len(rows["ms"]), producer),
            fields=fields,
            device_field=None,
            from_server=True,
        )

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
