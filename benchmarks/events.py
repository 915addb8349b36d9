"""Generated events: one row per payment, with power-law keys, one hot key, and some rows that arrive late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MICROS_PER_DAY = 86_400_000_000
_FIRST = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_FILE_ROWS = 1_000_000
_ROWS_PER_KEY = 20
_HEAD = 100
_INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many rows, over which time, and how uneven.

    Attributes:
        hot_share: part of all rows that one key has.
        late_share: part of the rows that are known hours to days after they happened.
    """

    rows: int
    days: int = 180
    hot_share: float = 0.1
    late_share: float = 0.03
    devices: int = 5_000
    seed: int = 7


def write_events(shape: Shape, folder: Path) -> None:
    """Write Parquet files of at most a million rows: event_id, key, event_at, known_at, amount, device."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, shape.rows, _FILE_ROWS)):
        table = _events(shape, first, min(_FILE_ROWS, shape.rows - first))
        pq.write_table(table, folder / f"part-{number:04d}.parquet", compression="zstd")


def _events(shape: Shape, first: int, size: int) -> pa.Table:
    dice = np.random.default_rng([shape.seed, first])
    keys = dice.zipf(1.2, size) % (shape.rows // _ROWS_PER_KEY)
    # The head of a power law is hot by itself; here exactly one key is to be.
    keys = np.where(keys < _HEAD, dice.integers(0, shape.rows // _ROWS_PER_KEY, size), keys)
    keys[dice.random(size) < shape.hot_share] = 0
    event_at = _FIRST + dice.integers(0, shape.days * MICROS_PER_DAY, size)
    delay = np.where(dice.random(size) < shape.late_share, dice.integers(0, 3 * MICROS_PER_DAY, size), 0)
    cents = np.minimum(dice.lognormal(8, 1.2, size), 10_000_000).astype(np.int64)
    return pa.table(
        {
            "event_id": pa.array(np.arange(first, first + size)),
            "key": pa.array(keys).cast(pa.string()),
            "event_at": pa.array(event_at, type=pa.timestamp("us")).cast(_INSTANT),
            "known_at": pa.array(event_at + delay, type=pa.timestamp("us")).cast(_INSTANT),
            "amount": _money(cents),
            "device": pa.array(dice.integers(0, shape.devices, size)).cast(pa.string()),
        }
    )


def _money(cents: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
    words = np.zeros((len(cents), 2), dtype=np.int64)
    words[:, 0] = cents
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(words)])
