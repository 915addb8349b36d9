"""One measured figure with its interval, or the reason why it could not be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")
TWO_DECIMALS_FROM = 0.095
MIN_DAYS = 2


@dataclass(frozen=True, slots=True)
class MetricDraws:
    """One metric of the period itself (position 0) and of each bootstrap draw; NaN where it is undefined."""

    values: NDArray[np.float64]
    reason: str = ""

    def minus(self, other: MetricDraws) -> MetricDraws:
        """Return the paired difference; both must come from the same draws of days."""
        return MetricDraws(self.values - other.values, self.reason or other.reason)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its percentile interval, and the number of draws that stand behind the interval.

    ``value`` is NaN where the metric is undefined, ``low`` and ``high`` are NaN where no interval exists
    (one day only); ``reason`` then says why. Any comparison with NaN is false, so a gate cannot pass on it.
    """

    value: float
    low: float
    high: float
    draws: int
    reason: str = ""

    @property
    def is_known(self) -> bool:
        """True where the value itself could be measured."""
        return bool(np.isfinite(self.value))

    @property
    def has_interval(self) -> bool:
        """True where both limits could be measured."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    def __str__(self) -> str:
        if not self.is_known:
            return f"unknown ({self.reason})"
        if not self.has_interval:
            return f"{_shown(self.value)} (no interval: {self.reason})"
        return f"{_shown(self.value)} ({_shown(self.low)}-{_shown(self.high)})"

    def as_difference(self) -> str:
        """Return the text of a difference, signs written: ``+0.02 (-0.01 to +0.05)``."""
        if not self.is_known:
            return f"unknown ({self.reason})"
        if not self.has_interval:
            return f"{self.value:+.3f} (no interval: {self.reason})"
        return f"{self.value:+.3f} ({self.low:+.3f} to {self.high:+.3f})"

    @classmethod
    def of(cls, drawn: MetricDraws, *, days: int, confidence: float) -> Estimate:
        """Summarise draws by their percentiles; draws in which the metric is undefined do not count."""
        value = float(drawn.values[0])
        if not np.isfinite(value):
            return cls(NAN, NAN, NAN, 0, drawn.reason or "undefined on this period")
        usable = drawn.values[1:][np.isfinite(drawn.values[1:])]
        if days < MIN_DAYS or len(usable) == 0:
            return cls(
                value, NAN, NAN, 0, f"{days} day of data; an interval by days needs at least {MIN_DAYS}"
            )
        tail = 50 * (1 - confidence)
        low, high = np.percentile(usable, [tail, 100 - tail])
        return cls(value, float(low), float(high), len(usable))


def as_metrics(estimates: Mapping[str, Estimate], *, prefix: str = "") -> dict[str, float]:
    """Flatten to names and numbers for a tracking server: ``x``, ``x_low``, ``x_high``; no unknown ones."""
    flat: dict[str, float] = {}
    for name, estimate in estimates.items():
        if estimate.is_known:
            flat[f"{prefix}{name}"] = estimate.value
        if estimate.is_known and estimate.has_interval:
            flat[f"{prefix}{name}_low"] = estimate.low
            flat[f"{prefix}{name}_high"] = estimate.high
    return flat


def _shown(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= TWO_DECIMALS_FROM or value == 0 else f"{value:.2g}"
