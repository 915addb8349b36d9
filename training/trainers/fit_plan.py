"""What to fit, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from training.trainers.quality import Quality
from training.trainers.seen import Seen

# What a score says of a row: how likely it is fraud, how much money is lost with it, or that it comes before others.
Learns = Literal["chance", "loss", "order"]
# A parameter of ours among XGBoost's: how many days before the end of the training period rows are used.
TRAIN_DAYS = "train_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPlan:
    """What to fit.

    Attributes:
        params: XGBoost's parameters, ``objective: expected_loss`` (see ``objectives``), and ``train_days``. With an
            objective of regression (``reg:...``) the money lost is learned, 0 for what is no fraud; with one of ranking
            (``rank:...``) which rows of a day have more of it, and every row counts once.
        stop_after: rounds without gain on the validation rows after which to stop; None grows all rounds.
        keeps_odds: frauds and others count alike; else probabilities are put right after the fit.
        bars: what the best validation metric must have reached at every check, else the fit is given up.
        start: a booster to go on from, as UBJ bytes; ``rounds`` are those that are added.
        is_last: nothing will go on from this fit.
        is_trial: the fit is of a sweep, and there are validation rows.
    """

    features: tuple[str, ...]
    params: Mapping[str, Any]
    rounds: int
    stop_after: int | None = None
    workers: int = 1
    keep_booster: bool = True
    keeps_odds: bool = True
    monotone: Mapping[str, int] = field(default_factory=dict)
    categorical: frozenset[str] = frozenset()
    bars: tuple[float, ...] = ()
    start: bytes | None = field(default=None, repr=False)
    is_last: bool = True
    is_trial: bool = False

    @property
    def learns(self) -> Learns:
        """What the booster's scores are to say."""
        match str(self.params.get("objective", "")).partition(":")[0]:
            case "reg":
                return "loss"
            case "rank":
                return "order"
            case _:
                return "chance"

    @property
    def max_bin(self) -> int:
        return int(self.params.get("max_bin", 256))

    @property
    def train_days(self) -> float | None:
        days = self.params.get(TRAIN_DAYS)
        return None if days is None else float(days)

    @property
    def binned_as(self) -> tuple[int, float | None, Learns]:
        """What decides how rows are binned and labelled."""
        return self.max_bin, self.train_days, self.learns


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A booster as UBJ bytes, cut to its best round, and its quality on validation rows where one task saw them all.

    Attributes:
        curve: the best validation metric at every check.
        is_pruned: the fit was given up, for it fell behind the plan's bars.
        learns: what its scores say.
        seen: what the training rows hold of each feature, where a booster was kept.
        binned: how often the process that fitted it has binned rows of the sweep so far.
    """

    booster: bytes = field(repr=False)
    rounds: int
    train_rows: int
    validation: Quality | None
    curve: tuple[float, ...] = ()
    is_pruned: bool = False
    seen: Seen | None = None
    learns: Learns = "chance"
    binned: int = 1
    process: str = ""
