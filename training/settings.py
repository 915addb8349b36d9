"""How a model is trained and judged, as its user writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from features.prove.settings import ProofSettings
from lake.documents import Strict
from training.metrics.settings import EvaluationSettings
from training.splits import SplitSettings
from training.sweep.settings import SweepSettings
from training.trainers.plan import TrainerSettings
from training.training_set import TestSettings
from training.weights import WeightSettings


class TrainingSettings(Strict):
    """The ``training`` section.

    Attributes:
        proof: what is proved of the features before a training.
        published: figures of others to stand beside one's own.
    """

    split: SplitSettings
    test: TestSettings = TestSettings()
    metrics: EvaluationSettings = EvaluationSettings()
    sweep: SweepSettings
    trainer: TrainerSettings = TrainerSettings()
    weights: WeightSettings = WeightSettings()
    proof: ProofSettings = ProofSettings()
    published: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _money_is_needed(self) -> Self:
        searched = self.sweep.space.get("objective")
        asked = [self.sweep.fixed.get("objective"), *((searched.choice or ()) if searched else ())]
        of_money = [str(one) for one in asked if str(one).startswith(("reg:", "rank:"))]
        if of_money and self.test.amount is None:
            raise ValueError(
                f"sweep: {', '.join(of_money)} learns from the money lost; name the amount's column in test.amount"
            )
        return self

    @model_validator(mode="after")
    def _time_is_needed(self) -> Self:
        if self.split.random_parts is not None and self.test.forget_known_bad_days:
            raise ValueError(
                "split.random_parts knows no time, so test.forget_known_bad_days cannot be heeded; set it to 0"
            )
        return self
