"""Counting digits gives the order that comparing gives."""

from __future__ import annotations

import numpy as np
import pytest

from features.windows.radix import sorted_places

LIMITS = np.iinfo(np.int64)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (0, 3), (-5, 5), (0, 2**16), (2**40, 2**40 + 2**17), (LIMITS.min, LIMITS.max)],
    ids=["equal", "few", "negative", "a digit", "far from zero", "everything"],
)
def test_rows_are_ordered_as_by_comparing(low: int, high: int) -> None:
    dice = np.random.default_rng(7)
    for rows in (0, 1, 2, 1000):
        major, minor = dice.integers(low, high, rows), dice.integers(low, high, rows)
        for one, other in ((major, minor), (major % 7, minor), (major, minor % 7)):
            # That is stable too.
            assert sorted_places(one, other).tolist() == np.lexsort((other, one)).tolist()
