"""Whether two answers say the same, cell by cell, on the rows of some events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

# Doubles are summed in other orders elsewhere; what is exact here is compared as such by the project's tests.
_RELATIVE, _ABSOLUTE = 1e-6, 1e-6


def sampled(place: Path, features: list[str], every: int) -> pa.Table:
    """The features of every so-manieth event, in order of the event's id, as doubles."""
    table = ds.dataset(place).to_table(columns=["event_id", *features])
    ids = table["event_id"].cast(pa.int64())
    table = table.set_column(0, "event_id", ids).filter(pc.equal(pc.bit_wise_and(ids, every - 1), 0))
    return table.sort_by("event_id")


def differences(one: pa.Table, other: pa.Table, features: list[str]) -> dict[str, int]:
    """How many cells differ, by feature; empty where none does."""
    if not one["event_id"].equals(other["event_id"]):
        return {"event_id": abs(len(one) - len(other)) or len(one)}
    counts = {name: _different(_doubles(one[name]), _doubles(other[name])) for name in features}
    return {name: count for name, count in counts.items() if count}


def _doubles(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _different(
    one: np.ndarray[tuple[int], np.dtype[np.float64]], other: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> int:
    return int((~np.isclose(one, other, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)).sum())
