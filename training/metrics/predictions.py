"""Scores of one evaluated period beside the truth: one row per scored row, known once labels matured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lake.errors import SchemaError

TABLE = "predictions"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionColumns:
    """What the columns of a scored table are called; None where the table has no such column."""

    row_id: str = "row_id"
    as_of: str = "as_of"
    score: str = "score"
    is_fraud: str = "is_fraud"
    entity: str | None = None
    amount_usd: str | None = None
    slices: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """One row per scored row of one period.

    Attributes:
        row_id: the spine's row id; unique.
        as_of: the instant the score describes, ``datetime64[us]`` in UTC.
        score: finite; higher is more suspicious. Calibration metrics need it in 0..1.
        is_fraud: the matured label. Either class may be absent.
        entity: key for entity precision, such as the card; None inside the array is "no entity".
        amount_usd: money at risk in dollars, finite and not negative.
        slices: name to one value per row, for instance country.
    """

    row_id: NDArray[np.object_]
    as_of: NDArray[np.datetime64]
    score: NDArray[np.float64]
    is_fraud: NDArray[np.bool_]
    entity: NDArray[np.object_] | None = None
    amount_usd: NDArray[np.float64] | None = None
    slices: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise SchemaError where lengths differ, a score is not finite or a row id repeats."""
        _check_lengths(self)
        if self.as_of.dtype != np.dtype("datetime64[us]") or bool(np.isnat(self.as_of).any()):
            raise SchemaError(f"{TABLE}.as_of is {self.as_of.dtype}; give datetime64[us] in UTC without NaT")
        if self.is_fraud.dtype != np.bool_:
            raise SchemaError(f"{TABLE}.is_fraud is {self.is_fraud.dtype}; give bool")
        wild = int(np.count_nonzero(~np.isfinite(self.score)))
        if wild:
            raise SchemaError(f"{TABLE}.score holds {wild} values that are not finite; score every row first")
        if self.amount_usd is not None and not bool(
            np.all(np.isfinite(self.amount_usd) & (self.amount_usd >= 0))
        ):
            raise SchemaError(
                f"{TABLE}.amount_usd holds missing or negative amounts; give dollars of 0 or more"
            )
        repeated = len(self.row_id) - len(set(self.row_id.tolist()))
        if repeated:
            raise SchemaError(f"{TABLE}.row_id repeats {repeated} times; give one row per scored row")

    def __len__(self) -> int:
        return len(self.score)

    @property
    def day(self) -> NDArray[np.datetime64]:
        """The UTC day of each row, ``datetime64[D]``."""
        return self.as_of.astype("datetime64[D]")

    @property
    def fraud_count(self) -> int:
        """How many rows are fraud."""
        return int(np.count_nonzero(self.is_fraud))

    def with_score(self, score: NDArray[np.float64]) -> Predictions:
        """Return the same rows scored by another model; ``score`` is in the order of these rows."""
        return replace(self, score=score)

    def take(self, rows: NDArray[Any]) -> Predictions:
        """Return the rows chosen by a boolean mask or by positions, in that order."""
        return replace(
            self,
            row_id=self.row_id[rows],
            as_of=self.as_of[rows],
            score=self.score[rows],
            is_fraud=self.is_fraud[rows],
            entity=None if self.entity is None else self.entity[rows],
            amount_usd=None if self.amount_usd is None else self.amount_usd[rows],
            slices={name: values[rows] for name, values in self.slices.items()},
        )

    @classmethod
    def from_arrow(cls, table: pa.Table, columns: PredictionColumns) -> Predictions:
        """Read the named columns of ``table``; timestamps without a zone are UTC, decimals become floats.

        Raises:
            SchemaError: a named column is absent or holds nulls (entity and slices may), or a value is
                impossible.
        """
        c = columns
        full = [c.row_id, c.as_of, c.score, c.is_fraud, *([c.amount_usd] if c.amount_usd else [])]
        names = [*full, *([c.entity] if c.entity else []), *c.slices]
        if not set(names) <= set(table.column_names):
            raise SchemaError.missing(TABLE, names, table.column_names)
        holed = [f"{name} ({table[name].null_count} nulls)" for name in full if table[name].null_count]
        if holed:
            raise SchemaError(
                f"{TABLE} has missing values in {', '.join(holed)}; every evaluated row needs them"
            )
        return cls(
            row_id=_objects(table[c.row_id]),
            as_of=_instants(table[c.as_of]),
            score=_floats(table[c.score]),
            is_fraud=np.asarray(table[c.is_fraud].cast(pa.bool_()).to_numpy(), dtype=np.bool_),
            entity=_objects(table[c.entity]) if c.entity else None,
            amount_usd=_floats(table[c.amount_usd]) if c.amount_usd else None,
            slices={name: _objects(table[name]) for name in c.slices},
        )


def _check_lengths(predictions: Predictions) -> None:
    columns: dict[str, NDArray[Any] | None] = {
        "row_id": predictions.row_id,
        "as_of": predictions.as_of,
        "is_fraud": predictions.is_fraud,
        "entity": predictions.entity,
        "amount_usd": predictions.amount_usd,
        **predictions.slices,
    }
    rows = len(predictions.score)
    odd = [f"{name} has {len(c)}" for name, c in columns.items() if c is not None and len(c) != rows]
    if odd:
        raise SchemaError(f"{TABLE} has {rows} scores, but {', '.join(odd)} rows; give one value per row")


def _objects(column: pa.ChunkedArray) -> NDArray[np.object_]:
    values = np.empty(len(column), dtype=np.object_)
    values[:] = column.to_pylist()
    return values


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _instants(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    micros = pc.cast(column, pa.timestamp("us", tz=getattr(column.type, "tz", None)))
    return np.asarray(micros.cast(pa.int64()).to_numpy(), dtype=np.int64).view("datetime64[us]")
