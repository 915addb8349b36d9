"""The exchanged rows, and how a task's share of them is cut into blocks that hold whole keys.

One row is a probe (a spine row to describe) or an event of one of the groups' sources. Columns that no group needs
are left out of the exchange.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from features.windows.intervals import Ints
from features.windows.radix import sorted_places

KEY, STREAM, ROW, TIME, KNOWN, ROLE, TOLD = "key", "stream", "row", "time", "known", "role", "told"
SECTION, SERVES = "section", "serves"
SPINE, PACKED = "spine", "packed"
NUMBER, TEXT = OF_VALUES = "number_", "text_"
PROBE = 0

# Roles of an event: it counts; or it is a revision (bit 2: a retraction), and counts or not (bit 0). Of one that is
# settled ``known`` and ``told`` say since when and until when it counts.
COUNTS, IS_REVISION, IS_RETRACTION, IS_SETTLED = 1, 2, 4, 8

# What ``serves`` says of an event of a key that is cut into sections: the windows of its group that it counts in, a bit
# and one for each decay and burst; and above these, what the row stands for.
EVERY_WINDOW = (1 << 56) - 1
KIND_BITS = 56

# A row stands for itself, or for all rows that a section and these windows look back on without looking at each. Such a
# summary counts from the beginning; its ``known`` is the number of rows it stands for. Values without a name are as
# many as ``time`` says, of so many rows each. Sums of squares and of what decays are in two parts, the latter weighed
# against the beginning of their segment, ``time``. A peak is the greatest height of bursts.
ITSELF, COUNTED, SUMMED, LEAST, GREATEST, EDGE, VALUE, NAMELESS = range(8)
SQUARES_HIGH, SQUARES_LOW, WEIGHED_HIGH, WEIGHED_LOW, PEAK = range(8, 13)
PRODUCT_BITS = 62

BLOCK_ROWS = 131_072


def number_column(slot: int) -> str:
    """The column that carries a measure's integers."""
    return f"{NUMBER}{slot}"


def text_column(slot: int) -> str:
    """The column that carries what a measure tells apart."""
    return f"{TEXT}{slot}"


def height_column(number: int) -> str:
    """The column that carries the heights of a burst of hot keys."""
    return f"height_{number}"


def ints(rows: pa.Table, name: str) -> Ints:
    """A column without nulls as integers."""
    return np.asarray(rows[name].to_numpy(), dtype=np.int64)


def whole_keys(rows: pa.Table, size: int = BLOCK_ROWS) -> Iterator[tuple[Ints, Ints]]:
    """Blocks of about ``size`` rows, each with all rows of its keys: the place of each row, and its key as a number.

    Rows of a block are sorted by key and time; a key with more rows than ``size`` is a block of its own. Sections of a
    key are keys here.
    """
    if not rows.num_rows:
        return
    keys = rows[KEY].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    if SECTION in rows.column_names:
        sections = ints(rows, SECTION)
        keys = keys * (int(sections.max()) + 1) + sections
    order = sorted_places(keys, ints(rows, TIME))
    ends = np.append(np.flatnonzero(np.diff(keys[order])) + 1, len(order))
    begin = 0
    while begin < len(order):
        reached = int(np.searchsorted(ends, begin + size, side="right")) - 1
        end = int(ends[reached]) if reached >= 0 and ends[reached] > begin else int(ends[reached + 1])
        chosen = order[begin:end]
        yield chosen, _numbered(keys[chosen])
        begin = end


def _numbered(keys: Ints) -> Ints:
    """Sorted keys as numbers from 0 on."""
    numbers: Ints = np.concatenate([[0], np.cumsum(keys[1:] != keys[:-1])]).astype(np.int64)
    return numbers
