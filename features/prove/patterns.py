"""Real rows of a source that planted rows are made like, so that the conditions of features let them pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    ByteType,
    DataType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
)

from features.source import Source

Pattern = Mapping[str, object]

_LOOKED_AT = 2_000
# A column tells kinds of rows apart where it has no more values than this; a number, where it is a flag.
_VALUES: dict[type[DataType], int] = {
    StringType: 24,
    BooleanType: 2,
    ByteType: 2,
    ShortType: 2,
    IntegerType: 2,
    LongType: 2,
}


@dataclass(frozen=True, slots=True)
class Patterns:
    """Rows of a source, none where it is empty, and the columns that tell kinds of rows apart."""

    rows: Sequence[Pattern]
    kinds: frozenset[str]

    def at(self, number: int) -> Pattern:
        """One of the rows, in turn."""
        return self.rows[number % len(self.rows)] if self.rows else {}


def patterns(source: Source) -> Patterns:
    """Rows that together hold every frequent value of every column that tells kinds of rows apart."""
    ids = source.row_id
    found = source.rows.orderBy(F.xxhash64(ids), ids).limit(_LOOKED_AT).collect()
    kinds = frozenset(
        field.name
        for field in source.rows.schema
        if len({row[field.name] for row in found} - {None}) <= _VALUES.get(type(field.dataType), -1)
    )
    return Patterns(_showing(found, kinds), kinds)


def _showing(found: Sequence[Row], kinds: frozenset[str]) -> list[Pattern]:
    """The first rows that show a value which none before has shown."""
    kept: list[Pattern] = []
    shown: set[tuple[str, object]] = set()
    for row in found:
        news = {(name, row[name]) for name in kinds} - shown
        if news or not kept:
            kept.append(row.asDict())
            shown |= news
    return kept
