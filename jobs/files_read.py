"""Which files of its tables a frame reads, as Delta's statistics and Spark's optimizer leave them."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame


def files_read(frame: DataFrame, tables: Mapping[str, DataFrame]) -> dict[str, tuple[int, int]]:
    """How many files of each table a frame reads, and how many there are.

    Args:
        tables: whole tables, by name.
    """
    needed = set(frame.inputFiles())
    found = {name: set(table.inputFiles()) for name, table in tables.items()}
    return {name: (len(needed & there), len(there)) for name, there in found.items()}
