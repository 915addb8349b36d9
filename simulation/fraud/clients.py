"""Honest clients as a fraudster meets them: who pays from where, with which card and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.columns import Columns, Ints
from simulation.fraud.actions import Card, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client at the moment of an approved payment."""

    account: int
    paid_ms: int
    minor: int
    currency: str
    place: Place
    card: Card


class Clients:
    """Draws clients from the approved ones among honest payments, the busier the likelier."""

    def __init__(self, rng: np.random.Generator, honest: Columns) -> None:
        self._rng = rng
        self._honest = honest
        approved = np.flatnonzero(honest["approved"])
        self._rows: Ints = approved[np.argsort(honest["ms"][approved], kind="stable")]
        self._times: Ints = honest["ms"][self._rows]

    def any(self) -> Client:
        """Return a client at any time."""
        return self._at(int(self._rng.integers(len(self._rows))))

    def by(self, at: int) -> Client:
        """Return a client who had paid somebody by then; the first of all where none had."""
        known = int(np.searchsorted(self._times, at))
        return self._at(int(self._rng.integers(max(1, known))))

    def _at(self, position: int) -> Client:
        row, rows = int(self._rows[position]), self._honest
        return Client(
            account=int(rows["payer"][row]),
            paid_ms=int(rows["ms"][row]),
            minor=int(rows["minor"][row]),
            currency=str(rows["currency"][row]),
            place=Place(
                device=int(rows["device"][row]),
                ip=int(rows["ip"][row]),
                ip_country=int(rows["ip_country"][row]),
                ip_type=str(rows["ip_type"][row]),
            ),
            card=Card(
                instrument=int(rows["instrument"][row]),
                card_country=int(rows["card_country"][row]),
                funding=str(rows["funding"][row]),
            ),
        )
