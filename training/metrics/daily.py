"""What a day's reviewers find: the share of fraud among each day's k highest rows or entities."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.metrics.day_blocks import day_codes
from training.metrics.estimate import MetricDraws
from training.metrics.predictions import Predictions
from training.metrics.settings import EvaluationSettings

Matrix = NDArray[np.float64]


def precision_at_k(predictions: Predictions, k: int) -> Matrix:
    """Return, per day with rows, the share of the k reviewed rows that are fraud.

    A day with fewer than k rows leaves review slots empty; they count as misses. Where rows tie for the
    last slots, the expected share of a fair draw among them is counted, so the order of rows never matters.
    """
    codes, days = day_codes(predictions)
    return np.array(
        [
            _expected_hits(predictions.score[today], predictions.is_fraud[today], k) / k
            for today in (codes == day for day in range(days))
        ]
    )


def entity_precision_at_k(predictions: Predictions, k: int) -> Matrix:
    """Return, per day with rows, the share of the k reviewed entities that are compromised (CP@k).

    An entity has its highest score of the day and is compromised if any of its rows of the day is fraud.
    Compromised entities among the k are detected: they leave all later days. Rows without an entity do not
    take part; ties go to the smaller key; a day with fewer than k entities counts its empty slots as
    misses.
    """
    if predictions.entity is None:
        return np.zeros(0)
    codes, days = day_codes(predictions)
    keys, names = pd.factorize(predictions.entity)
    _, rank = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    detected = np.zeros(len(names), dtype=np.bool_)
    shares = np.zeros(days)
    for day in range(days):
        today = np.flatnonzero((codes == day) & (keys >= 0))
        today = today[~detected[keys[today]]]
        entities, score, is_fraud = _by_entity(
            keys[today], predictions.score[today], predictions.is_fraud[today]
        )
        top = np.lexsort((rank[entities], -score))[:k]
        hits = entities[top][is_fraud[top]]
        detected[hits] = True
        shares[day] = len(hits) / k
    return shares


def daily_draws(
    predictions: Predictions, weights: Matrix, settings: EvaluationSettings
) -> dict[str, MetricDraws]:
    """Average the daily shares over the days of each draw.

    Entities detected on earlier days were removed in the true order of days, before days are drawn.
    """
    no_rows = "" if len(predictions) else "no rows"
    no_entity = "no entity key given" if predictions.entity is None else no_rows
    drawn = {}
    for k in settings.precision_at:
        drawn[precision_name(k)] = MetricDraws(
            _mean_of_days(precision_at_k(predictions, k), weights), no_rows
        )
    for k in settings.entity_precision_at:
        shares = entity_precision_at_k(predictions, k)
        drawn[entity_precision_name(k)] = MetricDraws(_mean_of_days(shares, weights), no_entity)
    return drawn


def precision_name(k: int) -> str:
    """Name of precision at k rows a day."""
    return f"precision_at_{k}_per_day"


def entity_precision_name(k: int) -> str:
    """Name of precision at k entities a day."""
    return f"entity_precision_at_{k}_per_day"


def _expected_hits(score: Matrix, is_fraud: NDArray[np.bool_], k: int) -> float:
    if len(score) <= k:
        return float(np.count_nonzero(is_fraud))
    last = -np.partition(-score, k - 1)[k - 1]
    above, tied = score > last, score == last
    slots = k - np.count_nonzero(above)
    return float(np.count_nonzero(is_fraud & above) + slots * np.mean(is_fraud[tied]))


def _by_entity(
    keys: NDArray[np.int64], score: Matrix, is_fraud: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Matrix, NDArray[np.bool_]]:
    """Return each entity once, with its highest score and whether any of its rows is fraud."""
    order = np.argsort(keys, kind="stable")
    entities, starts = np.unique(keys[order], return_index=True)
    if len(entities) == 0:
        return entities, score, is_fraud
    return (
        entities,
        np.maximum.reduceat(score[order], starts),
        np.logical_or.reduceat(is_fraud[order], starts),
    )


def _mean_of_days(shares: Matrix, weights: Matrix) -> Matrix:
    if len(shares) == 0:
        return np.full(weights.shape[1], np.nan)
    return np.asarray(shares @ weights / weights.sum(axis=0))
