"""Precision of a day's review, by rows and by entities, against cases worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from training.metrics.daily import daily_draws, entity_precision_at_k, precision_at_k
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings

# day, entity, score, is_fraud
CASE = [
    # Day 1: c1 has 0.9 (legitimate row) and 0.2 (fraud row), so it is compromised with rank 1; c2 is second.
    (1, "c1", 0.9, False),
    (1, "c1", 0.2, True),
    (1, "c2", 0.8, False),
    (1, "c3", 0.7, True),
    # Day 2: c1 was detected on day 1 and leaves. c3 was below the top 2 and stays; c2 was no fraud and stays.
    (2, "c1", 0.99, True),
    (2, "c2", 0.6, False),
    (2, "c3", 0.5, True),
    (2, "c4", 0.4, True),
    # Day 3: c1 and c3 are gone; only c4 is left, found: one hit in two slots.
    (3, "c1", 0.9, True),
    (3, "c3", 0.9, True),
    (3, "c4", 0.1, True),
]


def rows(case: Sequence[tuple[int, str | None, float, bool]]) -> Predictions:
    return Predictions(
        row_id=np.arange(len(case)).astype(object),
        as_of=np.array([f"2026-01-0{day}T10:00" for day, *_ in case], "datetime64[us]"),
        score=np.array([score for _, _, score, _ in case]),
        is_fraud=np.array([is_fraud for *_, is_fraud in case]),
        entity=np.array([entity for _, entity, *_ in case], object),
    )


def oracle(case: Sequence[tuple[int, str | None, float, bool]], k: int) -> list[float]:
    """Follow the published definition with dictionaries and lists."""
    detected: set[str] = set()
    shares = []
    for day in sorted({day for day, *_ in case}):
        best: dict[str, float] = {}
        bad: set[str] = set()
        for row_day, entity, score, is_fraud in case:
            if row_day == day and entity is not None and entity not in detected:
                best[entity] = max(best.get(entity, score), score)
                bad |= {entity} if is_fraud else set()
        top = sorted(best, key=lambda entity: (-best[entity], entity))[:k]
        hits = [entity for entity in top if entity in bad]
        detected |= set(hits)
        shares.append(len(hits) / k)
    return shares


def test_entity_precision_follows_the_case_worked_out_by_hand() -> None:
    assert entity_precision_at_k(rows(CASE), 2).tolist() == [0.5, 0.5, 0.5]
    assert entity_precision_at_k(rows(CASE), 1).tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_entity_precision_equals_the_oracle_in_any_order_of_rows(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    keys = [None, *(f"c{i}" for i in range(40))]
    case = [
        (
            int(rng.integers(1, 8)),
            keys[rng.integers(41)],
            float(np.round(rng.random(), 1)),
            bool(rng.random() < 0.1),
        )
        for _ in range(300)
    ]
    shuffled = [case[i] for i in rng.permutation(300)]
    assert entity_precision_at_k(rows(shuffled), k).tolist() == pytest.approx(oracle(case, k))


def test_precision_at_k_counts_the_expected_hits_among_ties_for_the_last_slot() -> None:
    case = [
        (1, "a", 0.9, True),
        (1, "b", 0.5, True),
        (1, "c", 0.5, False),
        (1, "d", 0.5, False),
        (2, "a", 0.1, True),
    ]
    # Day 1: one sure hit, one slot for a draw among three rows with one fraud. Day 2: one row for two slots.
    assert precision_at_k(rows(case), 2).tolist() == pytest.approx([(1 + 1 / 3) / 2, 0.5])


def test_a_draw_of_days_averages_the_shares_of_its_days() -> None:
    weights = np.array([[1.0, 3.0], [1.0, 0.0], [1.0, 0.0]])
    settings = EvaluationSettings(precision_at=(1,), entity_precision_at=(1,))
    drawn = daily_draws(rows(CASE), weights, settings)
    assert drawn["entity_precision_at_1_per_day"].values.tolist() == pytest.approx([2 / 3, 1.0])
    assert drawn["precision_at_1_per_day"].values.tolist() == pytest.approx([(0 + 1 + 1) / 3, 0.0])
