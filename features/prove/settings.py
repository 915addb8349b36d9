"""How much is proved, and what is beyond belief."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from lake.documents import Strict
from lake.duration import Duration


class ProofSettings(Strict):
    """The section ``training.proof``.

    Attributes:
        rows: rows whose features are built again, at most. 0 leaves those proofs out.
        max_auc: a single feature that tells frauds from other rows better than this is taken for a leak.
        trusted: features of which that is known to be right.
        frauds: known frauds without which no feature is suspected; others are drawn in proportion.
        lags: how much later the sources are taken to be known, to see whether a feature lives on news.
        max_fall: a feature whose AUC falls by more than this under a lag is listed.
    """

    rows: Annotated[int, Field(ge=0)] = 200
    max_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.99
    trusted: tuple[str, ...] = ()
    frauds: Annotated[int, Field(ge=2)] = 30
    lags: tuple[Duration, ...] = (timedelta(hours=1), timedelta(days=1))
    max_fall: Annotated[float, Field(gt=0, le=0.5)] = 0.2
