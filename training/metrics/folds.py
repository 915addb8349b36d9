"""Several evaluated periods side by side: mean and deviation over folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.metrics.estimate import NAN, Estimate


@dataclass(frozen=True, slots=True)
class FoldSummary:
    """One metric over folds: mean, sample standard deviation (n - 1), and the value of each fold in order.

    Folds in which the metric is unknown are NaN in ``values`` and count neither in ``mean`` nor in
    ``deviation``. One known fold has no deviation: NaN.
    """

    mean: float
    deviation: float
    values: tuple[float, ...]

    @property
    def known_folds(self) -> int:
        """How many folds the mean stands on."""
        return int(np.count_nonzero(np.isfinite(self.values)))

    def __str__(self) -> str:
        if self.known_folds == 0:
            return "unknown"
        spread = f" ± {self.deviation:.3f}" if self.known_folds > 1 else ""
        return f"{self.mean:.3f}{spread}"


def summarise_folds(folds: Sequence[Mapping[str, Estimate]]) -> dict[str, FoldSummary]:
    """Summarise the evaluations of folds, in the order of the first fold's metrics; no folds give nothing."""
    if not folds:
        return {}
    return {name: _summary([fold[name].value for fold in folds if name in fold]) for name in folds[0]}


def _summary(values: Sequence[float]) -> FoldSummary:
    known = np.array([value for value in values if np.isfinite(value)])
    return FoldSummary(
        mean=float(known.mean()) if len(known) else NAN,
        deviation=float(known.std(ddof=1)) if len(known) > 1 else NAN,
        values=tuple(values),
    )
