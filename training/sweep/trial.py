"""One trial of a sweep: the parameters, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One set of parameters with its mean score over the validation folds; higher is better.

    Attributes:
        score: None where the trial failed.
        curves: per fold, the best validation metric after every few rounds.
        is_pruned: it was given up; its score is that of the rounds it had.
        reason: why it failed, in one line.
        is_kept: it was not run, but read back from MLflow, where a killed sweep had written it.
    """

    number: int
    params: Mapping[str, Any]
    rounds: int
    score: float | None
    curves: tuple[tuple[float, ...], ...] = ()
    is_pruned: bool = False
    reason: str = ""
    # How the trial was run says nothing of what came of it.
    binned: int = field(default=0, compare=False)
    process: str = field(default="", compare=False)
    is_kept: bool = field(default=False, compare=False)

    def numbered(self, number: int) -> Trial:
        """The same trial, with this number."""
        return replace(self, number=number)


@dataclass(frozen=True, slots=True)
class Winner:
    """The best trial: its parameters, the boosting rounds to fit with, and its score on the validation folds."""

    number: int
    params: Mapping[str, Any]
    rounds: int
    score: float
