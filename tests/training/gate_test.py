"""What the gate lets through, and the words with which it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from training.gate import GateSettings, decide
from training.metrics.predictions import Predictions

SETTINGS = GateSettings(draws=200, min_average_precision=0.1, min_roc_auc=0.6)


def period(
    gap: float, *, seed: int = 1, rows: int = 3000, days: int = 10, frauds: float = 0.05
) -> Predictions:
    """Rows of fixed labels; a larger ``gap`` between the classes is a better model."""
    labels = np.random.default_rng(99)
    is_fraud = labels.random(rows) < frauds
    as_of = np.datetime64("2026-01-01", "us") + labels.integers(0, days, rows) * np.timedelta64(1, "D")
    noise = np.random.default_rng(seed).normal(size=rows)
    return Predictions(
        row_id=np.arange(rows).astype(object),
        as_of=as_of,
        score=1 / (1 + np.exp(3 - noise - gap * is_fraud)),
        is_fraud=is_fraud,
    )


def test_the_first_model_passes_on_its_lower_limits() -> None:
    decision = decide(period(1.5), None, SETTINGS)
    assert decision.promoted
    assert decision.comparison is None
    assert str(decision).startswith("promoted: no champion yet; candidate average precision is 0.")


def test_a_value_above_the_floor_with_its_lower_limit_below_is_refused() -> None:
    rows = period(1.5)
    found = decide(rows, None, SETTINGS).candidate["average_precision"]
    floor = (found.low + found.value) / 2
    decision = decide(rows, None, GateSettings(draws=200, min_average_precision=floor))
    assert not decision.promoted
    assert decision.reasons == (
        f"candidate average precision is {found}; the lower limit must reach {floor:g}",
    )


def test_every_reason_is_given() -> None:
    decision = decide(period(0.0), None, SETTINGS)
    assert not decision.promoted
    assert [reason.split(" is ")[0] for reason in decision.reasons] == [
        "candidate ROC-AUC",
        "candidate average precision",
    ]


def test_a_candidate_as_good_as_the_champion_replaces_it_unless_a_gain_is_asked_for() -> None:
    champion = period(1.5)
    candidate = champion.with_score(np.clip(champion.score + 1e-9 * champion.is_fraud, 0, 1))
    assert decide(candidate, champion, SETTINGS).promoted
    strict = decide(candidate, champion, SETTINGS.model_copy(update={"min_gain": 0.01}))
    assert not strict.promoted
    assert "the gain" in strict.reasons[0]


def test_a_gain_inside_the_noise_is_refused_with_both_figures() -> None:
    champion, candidate = period(1.5, seed=1), period(1.5, seed=2)
    decision = decide(candidate, champion, GateSettings(draws=200, min_gain=0.0, max_loss=1))
    assert not decision.promoted
    assert decision.champion is not None
    assert decision.comparison is not None
    mine, theirs = decision.candidate["average_precision"], decision.champion["average_precision"]
    assert str(decision) == (
        f"refused: champion average precision is {theirs}, candidate {mine}; "
        f"the gain is inside the noise: {decision.comparison.as_difference()}"
    )


def test_a_clear_gain_passes_the_demand_for_one() -> None:
    decision = decide(period(2.5), period(1.5), GateSettings(draws=200, min_gain=0.05))
    assert decision.promoted
    assert decision.comparison is not None
    assert decision.comparison.low > 0.05


def test_a_worse_candidate_is_refused_even_above_every_floor() -> None:
    decision = decide(period(1.5), period(2.5), SETTINGS)
    assert not decision.promoted
    assert decision.reasons[0].endswith("the candidate is worse")


def test_a_loss_that_cannot_be_ruled_out_is_refused_and_a_wider_margin_lets_it_pass() -> None:
    champion, candidate = period(1.5, seed=1), period(1.5, seed=2)
    found = decide(candidate, champion, SETTINGS).comparison
    assert found is not None
    between, beyond = -(found.low + found.value) / 2, -found.low * 1.1
    narrow = decide(candidate, champion, SETTINGS.model_copy(update={"max_loss": between}))
    assert not narrow.promoted
    assert "cannot be ruled out" in narrow.reasons[0]
    assert decide(candidate, champion, SETTINGS.model_copy(update={"max_loss": beyond})).promoted


def test_too_few_frauds_or_days_decide_nothing() -> None:
    few = period(3.0, rows=200, days=3, frauds=0.05)
    decision = decide(few, few, SETTINGS)
    assert not decision.promoted
    assert decision.reasons == (
        f"the period holds {few.fraud_count} frauds; at least 30 are needed",
        "the period holds 3 days; at least 5 are needed",
    )


@pytest.mark.parametrize("frauds", [0.0, 2.0])
def test_a_period_of_one_class_is_refused_in_words(frauds: float) -> None:
    decision = decide(period(1.5, frauds=frauds), None, GateSettings(draws=20))
    assert not decision.promoted
    assert "frauds; at least" in str(decision) or "all 3000 rows are fraud" in str(decision)


def test_the_decision_can_be_read_from_the_version_tags() -> None:
    decision = decide(period(2.5), period(1.5), SETTINGS)
    assert decision.comparison is not None
    assert decision.as_tags() == {
        "gate": "promoted",
        "gate_reasons": decision.reasons[0],
        "gate_gain": decision.comparison.as_difference(),
    }


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="min_auc"):
        GateSettings.model_validate({"min_auc": 0.9})
