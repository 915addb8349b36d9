"""Rows in order by counting digits of 16 bits, which numpy does several times as fast as it compares."""

from __future__ import annotations

import numpy as np

from features.windows.intervals import Ints

_DIGIT = 16


def sorted_places(major: Ints, minor: Ints) -> Ints:
    """The places of rows by ``major`` and, where that is equal, by ``minor``; rows with both equal stay in order."""
    places = np.arange(len(major), dtype=np.int64)
    if not len(places):
        return places
    for column in (minor, major):
        # Without signs the differences are right however far apart the values are.
        above = column.view(np.uint64) - column.min().view(np.uint64)
        for shift in range(0, int(above.max()).bit_length(), _DIGIT):
            digits = (above >> np.uint64(shift)).astype(np.uint16)[places]
            places = places[np.argsort(digits, kind="stable")]
    return places
