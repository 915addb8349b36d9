"""What a search draws, and when it has seen enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A trial to run: its number from 0, and its parameters."""

    number: int
    params: Mapping[str, Any]


def has_enough(losses: Sequence[float | None], enough: int | None) -> bool:
    """Whether so many trials in a row were not better than the best before them; failed ones are not better."""
    if enough is None or not losses:
        return False
    known = [np.inf if loss is None else loss for loss in losses]
    return len(known) - 1 - int(np.argmin(known)) >= enough
