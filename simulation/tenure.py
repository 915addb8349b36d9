"""What changes with time as a change log: who holds what from when until when, and what was before the first day."""

from __future__ import annotations

import numpy as np

from simulation.columns import Columns, Ints, size, stack, take
from simulation.settings import SimulationSettings


def held(uses: Columns, what: str, who: str) -> Columns:
    """Return one row per thing and account that used it: both, ``first_ms``, ``last_ms``, ``row`` of the first use."""
    in_time = np.argsort(uses["ms"], kind="stable")
    pairs = np.stack([uses[what][in_time], uses[who][in_time]])
    found, first, inverse = np.unique(pairs, axis=1, return_index=True, return_inverse=True)
    last = np.zeros(found.shape[1], dtype=np.int64)
    np.maximum.at(last, inverse.reshape(-1), uses["ms"][in_time])
    row = in_time[first]
    return {what: found[0], "account": found[1], "first_ms": uses["ms"][row], "last_ms": last, "row": row}


def change_log(
    rng: np.random.Generator, settings: SimulationSettings, rows: Columns, added: Ints, removed: Ints
) -> Columns:
    """Return an insert when each row is ``added`` and a delete when it is ``removed``, up to the end of the period.

    Sorted by ``lsn``, which grows with time; ``ms`` is when the change happens.
    """
    count = size(rows)
    inserts = rows | {"ms": added, "op": np.full(count, "I")}
    deletes = rows | {"ms": removed, "op": np.full(count, "D")}
    changes = stack([inserts, deletes])
    changes = take(changes, changes["ms"] < settings.end_ms)
    changes = take(changes, np.argsort(changes["ms"], kind="stable"))
    return changes | {"lsn": 9_000_000 + np.cumsum(rng.integers(1, 9, size(changes)))}


def folded(rows: Columns, start_ms: int) -> Columns:
    """Keep of what was before the period the last row per account, as an insert.

    Args:
        rows: states of accounts by account and time: account, ms, op.
        start_ms: when the period begins.
    """
    old = rows["ms"] < start_ms
    followed = np.append(rows["account"][1:] == rows["account"][:-1], [False]) & np.append(old[1:], [False])
    return take(rows | {"op": np.where(old, "I", rows["op"])}, ~(old & followed))
