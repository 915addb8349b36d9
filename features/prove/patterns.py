"""Real rows of a source that planted rows are made like, so that the conditions of features let them pass."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StringType

from features.source import Source

Pattern = Mapping[str, object]

# Rows looked at; and how many values a column has at most that tells kinds of rows apart.
_LOOKED_AT, _VALUES = 2_000, 24


def patterns(source: Source) -> list[Pattern]:
    """Rows that together hold every frequent value of every column that tells kinds of rows apart.

    A source without rows gives none.
    """
    ids = source.row_id
    found = source.rows.orderBy(F.xxhash64(ids), ids).limit(_LOOKED_AT).collect()
    kinds = [f.name for f in source.rows.schema if isinstance(f.dataType, StringType | BooleanType)]
    few = [name for name in kinds if len({row[name] for row in found}) <= _VALUES]
    kept: list[Pattern] = []
    shown: set[tuple[str, object]] = set()
    for row in found:
        news = {(name, row[name]) for name in few} - shown
        if news or not kept:
            kept.append(row.asDict())
            shown |= news
    return kept
