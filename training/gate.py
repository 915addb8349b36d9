"""Whether a candidate becomes champion: a pure decision on one evaluated period, with its reasons in words.

Policy. The candidate must clear the absolute minimum values with the *lower* limit of its interval. Against
a champion, scored on the same rows, the paired difference decides: its lower limit may not fall below minus
``max_loss`` (the candidate is not worse), and where ``min_gain`` is set it must also exceed that (the
candidate is better). Overlap of the two models' own intervals decides nothing: both move with the same
days. Too few frauds or days decide nothing either, so they refuse. Every reason to refuse is given, not
only the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from training.metrics.compare import compare
from training.metrics.day_blocks import day_codes
from training.metrics.estimate import Estimate
from training.metrics.evaluate import evaluate
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings

METRIC = "average_precision"
VERDICT, PASSED = "gate", "promoted"
WORDS = {"average_precision": "average precision", "roc_auc": "ROC-AUC"}


class GateSettings(BaseModel):
    """What a candidate must show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_average_precision: float = Field(default=0.0, ge=0, le=1, description="floor of the lower limit")
    min_roc_auc: float = Field(default=0.5, ge=0, le=1, description="floor of the lower limit")
    max_loss: float = Field(default=0.02, ge=0, le=1, description="average precision it may lose at worst")
    min_gain: float | None = Field(
        default=None, ge=0, le=1, description="average precision it must gain; no demand where empty"
    )
    min_frauds: int = Field(default=30, ge=1, description="frauds the evaluated period must hold")
    min_days: int = Field(default=5, ge=2, description="days it must hold; intervals resample days")
    draws: int = Field(default=1000, ge=20, description="bootstrap draws")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="share of the draws in an interval")
    seed: int = Field(default=7, ge=0, description="seed of the bootstrap")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """The decision on one candidate; ``comparison`` is candidate minus champion in average precision."""

    promoted: bool
    reasons: tuple[str, ...]
    comparison: Estimate | None = None
    candidate: Mapping[str, Estimate] = field(default_factory=dict)
    champion: Mapping[str, Estimate] | None = None

    def __str__(self) -> str:
        return f"{'promoted' if self.promoted else 'refused'}: {'; '.join(self.reasons)}"

    def as_tags(self) -> dict[str, str]:
        """Return the decision as tags of a model version."""
        tags = {VERDICT: PASSED if self.promoted else "refused", "gate_reasons": "; ".join(self.reasons)}
        if self.comparison is not None:
            tags["gate_gain"] = self.comparison.as_difference()
        return tags


def decide(candidate: Predictions, champion: Predictions | None, settings: GateSettings) -> GateDecision:
    """Decide on a candidate by its scores and, where there is one, the champion's on the same rows.

    Raises:
        SchemaError: the champion was scored on other rows or with other labels.
    """
    measure = EvaluationSettings(draws=settings.draws, confidence=settings.confidence, seed=settings.seed)
    found = evaluate(candidate, measure)
    faults = _too_little(candidate, settings)
    if not faults:
        faults = [
            *_below("roc_auc", found["roc_auc"], settings.min_roc_auc),
            *_below(METRIC, found[METRIC], settings.min_average_precision),
        ]
    if champion is None:
        passed = f"no champion yet; candidate {WORDS[METRIC]} is {found[METRIC]}, ROC-AUC {found['roc_auc']}"
        return GateDecision(promoted=not faults, reasons=tuple(faults) or (passed,), candidate=found)
    difference = compare(candidate, champion, measure)[METRIC]
    theirs = evaluate(champion, measure)
    against = f"champion {WORDS[METRIC]} is {theirs[METRIC]}, candidate {found[METRIC]}"
    verdict = _against_champion(difference, settings)
    if verdict and not _too_little(candidate, settings):
        faults.append(f"{against}; {verdict}")
    passed = (
        f"{against}; the difference is {difference.as_difference()}, at worst within {settings.max_loss:g}"
    )
    return GateDecision(
        promoted=not faults,
        reasons=tuple(faults) or (passed,),
        comparison=difference,
        candidate=found,
        champion=theirs,
    )


def _too_little(candidate: Predictions, settings: GateSettings) -> list[str]:
    _, days = day_codes(candidate)
    faults = []
    if candidate.fraud_count < settings.min_frauds:
        faults.append(
            f"the period holds {candidate.fraud_count} frauds; at least {settings.min_frauds} are needed"
        )
    if days < settings.min_days:
        faults.append(f"the period holds {days} days; at least {settings.min_days} are needed")
    return faults


def _below(metric: str, found: Estimate, floor: float) -> list[str]:
    if found.has_interval and found.low >= floor:
        return []
    return [f"candidate {WORDS[metric]} is {found}; the lower limit must reach {floor:g}"]


def _against_champion(difference: Estimate, settings: GateSettings) -> str:
    """Return what speaks against the candidate, or nothing."""
    shown = difference.as_difference()
    if not difference.has_interval:
        return f"the difference is {shown}"
    if difference.high < 0 and difference.low < -settings.max_loss:
        return f"the difference is {shown}: the candidate is worse"
    if difference.low < -settings.max_loss:
        return f"the difference is {shown}: a loss above {settings.max_loss:g} cannot be ruled out"
    if settings.min_gain is None or difference.low > settings.min_gain:
        return ""
    if difference.low <= 0:
        return f"the gain is inside the noise: {shown}"
    return f"the gain may be {difference.low:.3f} only: {shown}; more than {settings.min_gain:g} is asked for"
