"""How fraudsters react to blocks: the more of their kind are blocked, the less they charge and the longer they wait.

Accounts act in the order of their first attempt. Who begins knows which of those that began in the quarter before are
blocked by then, and keeps to that. An account that is used again after a month without an attempt begins anew.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from simulation.columns import Array, Columns, Flags, Ints
from simulation.fates import NEVER, fraud_notices, restricted_from
from simulation.fraud.card_testing import TYPOLOGY as CARD_TESTING
from simulation.fraud.stolen_cards import TYPOLOGY as STOLEN_CARD
from simulation.fraud.takeover import TYPOLOGY as TAKEOVER
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings

# Those whose victims complain soon, and whose accounts are blocked for it.
REACTING = (STOLEN_CARD, CARD_TESTING, TAKEOVER)
_REMEMBERED_MS = 91 * DAY_MS
_PAUSE_MS = 30 * DAY_MS
_WHOLE = 500


def with_reaction(settings: SimulationSettings, attempts: Columns) -> Columns:
    """Return the attempts of fraudsters, with less at a time and longer pauses where many are blocked."""
    changed = {name: attempts[name].copy() for name in ("ms", "minor")}
    for typology in REACTING:
        kind = attempts["is_fraud"] & (attempts["typology"] == typology)
        begun = _Begun()
        for rows in _by_beginning(attempts, kind):
            first = int(attempts["ms"][rows[0]])
            caution = settings.fraud.reaction * begun.blocked_share(first)
            passed = attempts["ms"][rows] - first
            changed["ms"][rows] = first + (passed * (1.0 + caution)).astype(np.int64)
            changed["minor"][rows] = _less(attempts["minor"][rows], caution)
            begun.add(first, _blocked_from(settings, attempts | changed, rows))
    return attempts | changed


class _Begun:
    """The accounts of one typology that have begun, in that order, and when each was blocked."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._blocked: list[int] = []

    def add(self, first_ms: int, blocked_ms: int) -> None:
        self._first.append(first_ms)
        self._blocked.append(blocked_ms)

    def blocked_share(self, at: int) -> float:
        """Return which share of the accounts that began in the quarter before are blocked; 0 where none began."""
        lately = self._blocked[bisect_left(self._first, at - _REMEMBERED_MS) :]
        return float(np.mean(np.array(lately) < at)) if lately else 0.0


def _by_beginning(attempts: Columns, kind: Flags) -> list[Ints]:
    """Return the rows of each payer who begins, in order of time; who begins first comes first."""
    rows = np.flatnonzero(kind)
    rows = rows[np.lexsort((rows, attempts["ms"][rows], attempts["payer"][rows]))]
    is_other = np.diff(attempts["payer"][rows]) != 0
    begins = np.flatnonzero(is_other | (np.diff(attempts["ms"][rows]) > _PAUSE_MS)) + 1
    found: list[Ints] = [part for part in np.split(rows, begins) if len(part)]
    return sorted(found, key=lambda part: (int(attempts["ms"][part[0]]), int(attempts["payer"][part[0]])))


def _less(minor: Ints, caution: float) -> Ints:
    """Return smaller amounts; whole fives stay whole fives."""
    step = np.where(minor % _WHOLE == 0, _WHOLE, 1)
    less: Ints = np.maximum(1, np.rint(minor * np.exp(-caution) / step)).astype(np.int64) * step
    return less


def _blocked_from(settings: SimulationSettings, attempts: Columns, rows: Array) -> int:
    """Return when the account of these rows is blocked for what it paid."""
    paid = {name: attempts[name][rows[attempts["approved"][rows]]] for name in ("contract", "ms", "typology")}
    told = fraud_notices(settings, **paid)
    days = np.fmin(told["warning_days"], told["chargeback_days"])
    told_ms = paid["ms"][~np.isnan(days)] + (days[~np.isnan(days)] * DAY_MS).astype(np.int64)
    accused = np.array([told_ms.min(initial=NEVER)])
    return int(restricted_from(settings, attempts["payer"][rows[:1]], accused)[0])
