"""What is put to the proof: a function that builds features, and the values it gives."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.prove.relation import Relation
from features.prove.sample import Sampled
from features.source import Source
from lake.errors import SchemaError, TrustlakeError

# Builds features: one row out for each row of the spine. What a row brings itself stands in the spine.
Build = Callable[[DataFrame, Mapping[str, Source]], DataFrame]
Cells = tuple[object, ...]
# Values by row id, in the order of the features.
Values = Mapping[str, Cells]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A function that builds features.

    Attributes:
        row: the spine's column with the row's id.
        features: names of the features that it gives.
        relations: which rows of the sources belong to a described row.
    """

    build: Build
    row: str
    features: tuple[str, ...]
    relations: Sequence[Relation]

    def values(self, spine: DataFrame, sources: Mapping[str, Source]) -> Values:
        """What the function gives for the rows of the spine."""
        return values_of(self.build(spine, sources), self.row, self.features)

    def of(self, values: Values, row_id: str) -> Cells:
        """One row's values; a row that was left out has none but null."""
        return values.get(row_id, (None,) * len(self.features))


def values_of(built: DataFrame, row: str, features: Sequence[str]) -> Values:
    """The features of each row.

    Raises:
        SchemaError: a feature is absent.
        TrustlakeError: a row came out twice.
    """
    if not {row, *features} <= set(built.columns):
        raise SchemaError.missing("what was built", [row, *features], built.columns)
    rows = built.select(F.col(row).cast("string"), *features).collect()
    found = {str(values[0]): tuple(values[1:]) for values in rows}
    if len(found) != len(rows):
        raise TrustlakeError(
            f"{len(rows)} rows were built for {len(found)} different {row}; give one row for each of the spine"
        )
    return found


def is_same(one: object, other: object) -> bool:
    """Equal to the last bit; a NaN equals itself."""
    return _bits(one) == _bits(other)


def moved(one: Cells, other: Cells) -> list[int]:
    """The places of the features that differ."""
    return [place for place, pair in enumerate(zip(one, other, strict=True)) if not is_same(*pair)]


def differing(
    subject: Subject, sample: Sequence[Sampled], one: Values, other: Values
) -> list[tuple[Sampled, list[int]]]:
    """The rows that differ, each with the places of the features in which it does."""
    pairs = ((row, moved(subject.of(one, row.row_id), subject.of(other, row.row_id))) for row in sample)
    return [(row, places) for row, places in pairs if places]


def _bits(value: object) -> object:
    return struct.pack(">d", value) if isinstance(value, float) else value
