"""Wilson's interval against the equation that its limits solve, against known figures, and at its ends."""

from __future__ import annotations

import math

import pytest

from training.metrics.wilson import wilson


@pytest.mark.parametrize(
    ("hits", "rows"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 4_000), (2_000, 4_000)]
)
@pytest.mark.parametrize(("confidence", "z"), [(0.9, 1.6448536269514722), (0.95, 1.959963984540054)])
def test_a_limit_is_a_rate_whose_own_spread_just_reaches_the_share(
    hits: int, rows: int, confidence: float, z: float
) -> None:
    found = wilson(hits, rows, confidence=confidence)
    assert found.value == hits / rows
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    for limit in (found.low, found.high):
        spread = z * math.sqrt(max(0.0, limit * (1 - limit)) / rows)
        assert abs(found.value - limit) == pytest.approx(spread, abs=1e-9)


def test_known_figures() -> None:
    assert (wilson(3, 10).low, wilson(3, 10).high) == pytest.approx((0.107791, 0.603222), abs=1e-6)
    assert wilson(0, 10).high == pytest.approx(0.277533, abs=1e-6)


def test_no_rows_have_no_rate_and_impossible_counts_are_refused() -> None:
    empty = wilson(0, 0)
    assert str(empty) == "unknown (no rows)"
    assert math.isnan(empty.low)
    with pytest.raises(ValueError, match="4 hits of 3 rows; expected 0 to 3"):
        wilson(4, 3)
