"""A training set held against another one, row by row and to the last bit."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def unequal_rows(one: DataFrame, other: DataFrame) -> int:
    """How many rows of each the other has not; 0 where both are the same rows, in whatever order.

    Args:
        one: in the columns of a training set's table, as ``other`` is.
    """
    hashes = [rows.select(_digest(rows).alias("digest")) for rows in (one, other)]
    counted = [
        rows.groupBy("digest").agg(F.count("*").alias(name)) for name, rows in zip("ab", hashes, strict=True)
    ]
    both = counted[0].join(counted[1], on="digest", how="full")
    apart = F.abs(F.coalesce("a", F.lit(0)) - F.coalesce("b", F.lit(0)))
    found = both.agg(F.sum(apart).alias("rows")).head()
    return int(found["rows"] or 0) if found else 0


def _digest(rows: DataFrame) -> Column:
    # A float's shortest text that reads back as the same float: equal texts are equal bits.
    return F.sha2(F.to_json(F.struct(*sorted(rows.columns)), {"ignoreNullFields": "false"}), 256)
