"""The maturity curve: how likely a label is known so many days after what it labels.

Kaplan and Meier's product-limit estimator (JASA 53, 1958), with Greenwood's variance (1926). A row that is not labelled
yet is censored at its age, so young rows say as much as they can and no more. The intervals are on the log-log scale of
Kalbfleisch and Prentice for the share labelled, and on the logit scale, by the delta method, for the share known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Rows count as matured when so many of their labels have come: the share by which fraud teams set their window.
WINDOW = 0.9


@dataclass(frozen=True, slots=True)
class Curve:
    """One row a day on which labels came, day 0 first; arrays have one length.

    Attributes:
        days: days after the row's instant, whole; a label of day 3 came after more than 2 days.
        at_risk: rows that had no label before the day and were watched through it.
        labelled: rows whose label came on the day.
        share: of all rows, those labelled by the day, with its interval.
        known: of the rows that are ever labelled, as far as the curve reaches, those labelled by the day, with its
            interval; it ends at 1.
    """

    days: npt.NDArray[np.int64]
    at_risk: npt.NDArray[np.int64]
    labelled: npt.NDArray[np.int64]
    share: Floats
    share_low: Floats
    share_high: Floats
    known: Floats
    known_low: Floats
    known_high: Floats

    def known_by(self, day: int) -> float:
        """The share known by the end of a day; 0 before the first label, 1 where there is none at all."""
        if not len(self.days):
            return 1.0
        at = int(np.searchsorted(self.days, day, side="right")) - 1
        return float(self.known[at]) if at >= 0 else 0.0

    def day_by_which(self, share: float) -> int | None:
        """The first day by which at least so much is known; None without labels."""
        reached = np.flatnonzero(self.known >= share - 1e-12)
        return int(self.days[reached[0]]) if len(reached) else None


def maturity_curve(labelled: Mapping[int, int], censored: Mapping[int, int], level: float = 0.95) -> Curve:
    """Estimate from how many rows were labelled on which day, and how many were watched through which day in vain.

    Without labels the curve is empty.
    """
    days = np.array(sorted(day for day, rows in labelled.items() if rows), dtype=np.int64)
    came = np.array([labelled[int(day)] for day in days], dtype=np.int64)
    all_days = np.array([*labelled, *censored], dtype=np.int64)
    rows = np.array([*labelled.values(), *censored.values()], dtype=np.int64)
    at_risk = np.array([rows[all_days >= day].sum() for day in days], dtype=np.int64)
    if not len(days):
        nothing = np.empty(0)
        return Curve(days, at_risk, came, *(nothing for _ in range(6)))
    survival = np.cumprod(1 - came / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(came / (at_risk * (at_risk - came).astype(np.float64)))
    z = NormalDist().inv_cdf(0.5 + level / 2)
    low, high = _log_log(survival, greenwood, z)
    share = 1 - survival
    known = share / share[-1]
    known_low, known_high = _logit(known, _known_error(survival, greenwood), z)
    return Curve(days, at_risk, came, share, 1 - high, 1 - low, known, known_low, known_high)


def _log_log(survival: Floats, greenwood: Floats, z: float) -> tuple[Floats, Floats]:
    """Limits of the survival; where nobody is left they are unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(survival)
        spread = z * np.sqrt(greenwood) / np.abs(log)
        return np.power(survival, np.exp(spread)), np.power(survival, np.exp(-spread))


def _known_error(survival: Floats, greenwood: Floats) -> Floats:
    """The standard error of F(day) / F(last): both come from one curve, so their errors go together."""
    last, whole = survival[-1], 1 - survival[-1]
    by_day, by_last = -1 / whole, (1 - survival) / whole**2
    with np.errstate(invalid="ignore"):
        variance: Floats = (
            by_day**2 * survival**2 * greenwood
            + by_last**2 * last**2 * greenwood[-1]
            + 2 * by_day * by_last * survival * last * greenwood
        )
    # Where every row is labelled in the end Greenwood's sum is infinite, and nothing of the last share is in doubt.
    return np.sqrt(np.maximum(np.nan_to_num(variance, nan=0.0), 0.0))


def _logit(known: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    inside = known < 1
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds, spread = np.log(known / (1 - known)), z * error / (known * (1 - known))
        low: Floats = 1 / (1 + np.exp(spread - log_odds))
        high: Floats = 1 / (1 + np.exp(-spread - log_odds))
    return np.where(inside, low, 1.0), np.where(inside, high, 1.0)
