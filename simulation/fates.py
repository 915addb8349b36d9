"""What becomes of one payment or account, the same whoever asks for it and beside whatever others."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Ints
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import stream

NEVER = np.iinfo(np.int64).max
LONGEST_DAYS = 120.0
_RESTRICTED = 0.85
_NO_VICTIM = "T7"
_MEDIAN_DAYS = 35.0


def fraud_notices(settings: SimulationSettings, contract: Ints, ms: Ints, typology: Array) -> Columns:
    """Return after how many days each fraudulent payment is told of: ``warning_days`` and ``chargeback_days``.

    NaN where it never is. Of those that are, warnings come after 5-30 days, chargebacks for half of the warned and
    for all others.
    """
    told = [_notice(settings, *payment) for payment in zip(contract, ms, typology, strict=True)]
    days = np.array(told, dtype=float).reshape(-1, 2)
    return {"warning_days": days[:, 0], "chargeback_days": days[:, 1]}


def _notice(settings: SimulationSettings, contract: int, ms: int, typology: str) -> tuple[float, float]:
    rng = stream(settings.seed, "fraud notice", int(contract), int(ms))
    is_silent, is_warned, is_charged = rng.random(3) < (
        0.85 if typology == _NO_VICTIM else settings.fraud.never_disputed,
        settings.fraud.early_warning,
        0.55,
    )
    if is_silent:
        return np.nan, np.nan
    back = float(np.clip(rng.lognormal(np.log(_MEDIAN_DAYS), 0.5), 2.0, LONGEST_DAYS))
    if not is_warned:
        return np.nan, back
    warning = 5.0 + 25.0 * float(rng.beta(1.6, 2.4))
    return warning, min(max(back, warning + 2.0), LONGEST_DAYS) if is_charged else np.nan


def restricted_from(settings: SimulationSettings, account: Ints, accused_ms: Ints) -> Ints:
    """Return when each account is restricted, hours to days after it was first accused; ``NEVER`` where it is not."""
    delays = [_delay(settings, one) for one in account.tolist()]
    acted = np.array([delay is not None for delay in delays], dtype=bool)
    since = accused_ms + np.array([delay or 0 for delay in delays], dtype=np.int64)
    return np.where(acted & (accused_ms != NEVER), since, NEVER)


def _delay(settings: SimulationSettings, account: int) -> int | None:
    rng = stream(settings.seed, "restriction", account)
    return int(rng.uniform(0.1, 3.0) * DAY_MS) if rng.random() < _RESTRICTED else None
