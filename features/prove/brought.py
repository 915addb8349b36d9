"""Sources brought to the driver where they are small: a view reads each of them many times over."""

from __future__ import annotations

from collections.abc import Mapping

from features.source import Source

# Larger ones stay where they are, and are read again each time.
ROWS = 200_000


def brought(sources: Mapping[str, Source]) -> dict[str, Source]:
    """The same rows, those of small sources as plain data without the plan that made them."""
    return {name: _brought(source) for name, source in sources.items()}


def _brought(source: Source) -> Source:
    rows = source.rows
    table = rows.limit(ROWS + 1).toArrow()
    if table.num_rows > ROWS:
        return source
    return Source(rows.sparkSession.createDataFrame(table, rows.schema), source.key)
