"""The day-block bootstrap: days are drawn with replacement, because rows of one day are not independent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.metrics.predictions import Predictions


def day_codes(predictions: Predictions) -> tuple[NDArray[np.int64], int]:
    """Return each row's position among the days that have rows, and how many such days there are."""
    days, codes = np.unique(predictions.day, return_inverse=True)
    return codes.astype(np.int64), len(days)


def draw_days(days: int, *, draws: int, seed: int) -> NDArray[np.float64]:
    """Return how often each day counts: shape (days, 1 + draws).

    Column 0 is the period itself (every day once); each other column draws ``days`` days with replacement.
    No days give an empty first axis.
    """
    period = np.ones((days, 1))
    if days == 0:
        return np.ones((0, 1 + draws))
    drawn = np.random.default_rng(seed).multinomial(days, np.full(days, 1 / days), size=draws)
    return np.hstack([period, drawn.T.astype(np.float64)])
