"""From when to when a row counts, where later rows may take it back or correct it.

A revision has the id of the row it means. It takes effect when it is known, but not before the row itself is: one
that comes first waits. Of several the last one told wins; at one instant a retraction wins over a correction, and of
two corrections the one that says of a later time, or else of greater values: the same one in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from features.windows.block import COUNTS, IS_RETRACTION, IS_REVISION, IS_SETTLED
from features.windows.intervals import FOREVER, Bools, Ints


def effective(
    ids: Ints, known: Ints, told: Ints, roles: Ints, ties: Callable[[], Sequence[Ints]]
) -> tuple[Ints, Ints, Bools]:
    """From when each row is in effect, until when, and whether it counts meanwhile.

    Args:
        ids: numbers that are equal for a row and its revisions, within one key.
        known: when each row was known, in microseconds.
        told: what orders the revisions of a row, in microseconds.
        roles: bits of ``COUNTS``, ``IS_REVISION``, ``IS_RETRACTION``, ``IS_SETTLED``.
        ties: gives what orders revisions that were told at one instant, what matters most first.
    """
    begins, ends = known.copy(), told.copy()
    at = np.flatnonzero((roles & IS_SETTLED) == 0)
    begins[at], ends[at] = _in_order(
        ids[at], known[at], told[at], roles[at], lambda: [values[at] for values in ties()]
    )
    return begins, ends, (roles & COUNTS) > 0


def _in_order(
    ids: Ints, known: Ints, told: Ints, roles: Ints, ties: Callable[[], Sequence[Ints]]
) -> tuple[Ints, Ints]:
    """From when and until when each row or revision is in effect, as the others of its id say."""
    is_revision = (roles & IS_REVISION) > 0
    keys = (roles & IS_RETRACTION) > 0, told, is_revision, ids
    order = np.lexsort(keys)
    is_tie = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
    if is_tie.any():
        order = np.lexsort((*reversed(ties()), *keys))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = ids[order][1:] != ids[order][:-1]
    heads = order[first][np.cumsum(first) - 1]
    # Without the row itself its revisions wait for ever.
    arrived = np.where(is_revision[heads], FOREVER, known[heads])
    start = np.maximum(known[order], arrived)
    until = np.full(len(order), FOREVER)
    until[:-1] = np.where(first[1:], FOREVER, start[1:])
    begins, ends = np.empty_like(known), np.empty_like(known)
    begins[order], ends[order] = start, until
    return begins, ends
