"""The champion on a candidate's test rows, for a comparison on equal terms."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame

from training.artefact.contract import ModelContract
from training.artefact.load import load_booster
from training.judged import judge
from training.metrics.predictions import Predictions
from training.registry import CHAMPION, ModelRegistry
from training.training_set import TestSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The champion's version and scores; ``predictions`` is None where it reads other features than the rows hold."""

    version: int
    definition_hash: str
    predictions: Predictions | None


def champion_on(
    rows: DataFrame, registry: ModelRegistry, candidate: ModelContract, testing: TestSettings
) -> Champion | None:
    """Score the candidate's test rows by the champion; None where there is no champion.

    Args:
        rows: the test rows of the candidate's last fold.
    """
    version = registry.version_of(CHAMPION)
    if version is None:
        return None
    booster, contract = load_booster(registry.uri(version))
    same = (contract.feature_names, contract.definition_hash) == (
        candidate.feature_names,
        candidate.definition_hash,
    )
    predictions = judge(rows, booster, testing) if same else None
    return Champion(version=version, definition_hash=contract.definition_hash, predictions=predictions)
