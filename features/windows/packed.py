"""Features on their way from one exchange to the next: eight bytes each, and a bit that says whether it is there.

One row is a probe. Spark carries the bytes and does not look at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]

_CELL = 8


def pack(columns: Sequence[pa.Array]) -> Bytes:
    """A row of bytes for each row of the columns, which are of integers, doubles or truths."""
    rows = len(columns[0])
    cells = np.empty((rows, len(columns)), dtype=np.int64)
    valid = np.empty((rows, len(columns)), dtype=np.bool_)
    for number, column in enumerate(columns):
        numbers = column.cast(pa.int64()) if pa.types.is_boolean(column.type) else column
        values = numbers.fill_null(0).to_numpy()
        cells[:, number] = values.view(np.int64) if values.dtype == np.float64 else values
        valid[:, number] = column.is_valid().to_numpy(zero_copy_only=False)
    return np.hstack([cells.view(np.uint8), np.packbits(valid, axis=1)])


def unpack(rows: Bytes, kinds: Sequence[pa.DataType]) -> Iterator[pa.Array]:
    """The columns that were packed, of these types."""
    size = len(kinds) * _CELL
    cells = np.ascontiguousarray(rows[:, :size]).view(np.int64)
    valid = np.unpackbits(rows[:, size : width(len(kinds))], axis=1).astype(np.bool_)
    for number, kind in enumerate(kinds):
        values = np.ascontiguousarray(cells[:, number])
        if pa.types.is_floating(kind):
            values = values.view(np.float64)
        elif pa.types.is_boolean(kind):
            values = values.astype(np.bool_)
        yield pa.array(values, mask=~valid[:, number])


def width(columns: int) -> int:
    """Bytes of a row of that many columns."""
    return columns * _CELL + -(-columns // 8)


def to_arrow(rows: Bytes) -> pa.Array:
    """One binary value a row."""
    size = rows.shape[1]
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * size
    data = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(offsets), data])


def from_arrow(column: pa.Array, size: int) -> Bytes:
    """The rows of a binary column whose values all have that many bytes."""
    joined = pa.concat_arrays([column])
    offsets = np.frombuffer(
        joined.buffers()[1], dtype=np.int32, count=len(joined) + 1, offset=joined.offset * 4
    )
    data = np.frombuffer(joined.buffers()[2], dtype=np.uint8) if len(joined) else np.empty(0, dtype=np.uint8)
    rows: Bytes = data[offsets[0] : offsets[-1]].reshape(len(joined), size)
    return rows
