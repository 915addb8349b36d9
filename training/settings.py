"""How a model is trained and judged, as its user writes it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

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
