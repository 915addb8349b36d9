"""What a set of predictions refuses, and what it makes of a scored table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lake.errors import SchemaError
from training.metrics.predictions import PredictionColumns, Predictions

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def scored(**changed: pa.Array) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "row_id": pa.array(["a", "b"]),
        "as_of": pa.array([NOON, NOON + timedelta(days=1)], pa.timestamp("us", tz="UTC")),
        "score": pa.array([0.25, 0.5], pa.float32()),
        "is_fraud": pa.array([0, 1], pa.int32()),
        "card_id": pa.array(["c1", None]),
        "amount_usd": pa.array([Decimal("1.50"), Decimal("20.00")], pa.decimal128(18, 4)),
        "country": pa.array(["IN", None]),
    }
    return pa.table({**columns, **changed})


NAMES = PredictionColumns(entity="card_id", amount_usd="amount_usd", slices=("country",))


def test_a_scored_table_keeps_instants_money_and_slices() -> None:
    found = Predictions.from_arrow(scored(), NAMES)
    assert found.row_id.tolist() == ["a", "b"]
    assert found.as_of.tolist() == [datetime(2026, 3, 1, 12), datetime(2026, 3, 2, 12)]  # noqa: DTZ001 - UTC by type
    assert found.score.tolist() == [0.25, 0.5]
    assert found.is_fraud.tolist() == [False, True]
    assert found.entity is not None
    assert found.entity.tolist() == ["c1", None]
    assert found.amount_usd is not None
    assert found.amount_usd.tolist() == [1.5, 20.0]
    assert found.slices["country"].tolist() == ["IN", None]


def test_days_are_utc_days_whatever_the_zone_of_the_column() -> None:
    late = datetime(2026, 3, 1, 23, tzinfo=timezone(timedelta(hours=-5)))
    there = pa.array([late, late], pa.timestamp("us", tz="America/New_York"))
    found = Predictions.from_arrow(scored(as_of=there), NAMES)
    assert found.day.tolist() == [datetime(2026, 3, 2, tzinfo=UTC).date()] * 2


def test_no_rows_are_allowed() -> None:
    assert len(Predictions.from_arrow(scored().slice(0, 0), NAMES)) == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": pa.array([0.1, None])}, r"missing values in score \(1 nulls\)"),
        ({"score": pa.array([0.1, float("nan")])}, "score holds 1 values that are not finite"),
        ({"is_fraud": pa.array([None, True])}, r"missing values in is_fraud \(1 nulls\)"),
        ({"amount_usd": pa.array([1.0, -2.0])}, "missing or negative amounts"),
        ({"row_id": pa.array(["a", "a"])}, "row_id repeats 1 times"),
    ],
)
def test_impossible_values_are_refused(changed: dict[str, pa.Array], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Predictions.from_arrow(scored(**changed), NAMES)


def test_a_missing_column_is_named_with_those_present() -> None:
    with pytest.raises(SchemaError, match="predictions lacks shop_id; it has row_id, as_of"):
        Predictions.from_arrow(scored(), PredictionColumns(entity="shop_id"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": np.zeros(3)}, "has 3 scores, but row_id has 2, as_of has 2, is_fraud has 2"),
        ({"as_of": np.array(["2026-03-01", "NaT"], "datetime64[us]")}, "without NaT"),
        ({"is_fraud": np.array([0, 1])}, "is_fraud is int64; give bool"),
        ({"slices": {"country": np.array(["IN"], object)}}, "2 scores, but country has 1 rows"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed: dict[str, Any], message: str) -> None:
    columns: dict[str, Any] = {
        "row_id": np.array(["a", "b"], object),
        "as_of": np.array(["2026-03-01", "2026-03-02"], "datetime64[us]"),
        "score": np.array([0.1, 0.2]),
        "is_fraud": np.array([False, True]),
    }
    with pytest.raises(SchemaError, match=message):
        Predictions(**{**columns, **changed})
