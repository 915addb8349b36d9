"""Columns of equal length by name: how rows travel inside the simulation, one array a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Columns: TypeAlias = dict[str, Array]
_TYPES: dict[str, type[np.generic]] = {"int": np.int64, "bool": np.bool_, "str": np.str_}


def take(columns: Columns, rows: Array) -> Columns:
    """Return the given rows (positions or a mask) of every column."""
    return {name: values[rows] for name, values in columns.items()}


def stack(parts: Sequence[Columns]) -> Columns:
    """Put parts with the same columns below each other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def size(columns: Columns) -> int:
    """Return the number of rows."""
    return len(next(iter(columns.values())))


def from_rows(rows: Sequence[Any], kind: type[Any]) -> Columns:
    """Turn dataclass instances of ``kind`` into columns, one per field, in field order."""
    return {
        field.name: np.array([getattr(row, field.name) for row in rows], dtype=_TYPES[str(field.type)])
        for field in fields(kind)
    }
