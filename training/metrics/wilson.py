"""The interval of a rate that is counted, after Wilson: it holds for few rows and for rates near 0 and 1."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from training.metrics.estimate import NAN, Estimate


def wilson(hits: int, rows: int, *, confidence: float = 0.95) -> Estimate:
    """The share of ``hits`` among ``rows`` independent rows with its Wilson score interval; no draws stand behind it.

    Raises:
        ValueError: there are more hits than rows, or fewer than none.
    """
    if not 0 <= hits <= rows:
        raise ValueError(f"{hits} hits of {rows} rows; expected 0 to {rows}")
    if rows == 0:
        return Estimate(NAN, NAN, NAN, 0, "no rows")
    share, z = hits / rows, NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z * z / (2 * rows)
    half = z * sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    whole = 1 + z * z / rows
    # At the ends rounding would leave limits a hair outside of the share.
    low, high = max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)
    return Estimate(share, min(low, share), max(high, share), 0)
