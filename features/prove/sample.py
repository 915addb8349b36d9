"""The rows that are proved: spread by hash, and no two of them related to the same source rows.

Then what is withheld from one, or planted before it, is no other's past.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.prove.relation import Relation
from features.view import AS_OF

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Rows looked at for each row wanted: the more keys rows share, the fewer of them go together.
CANDIDATES = 5

_ID, _MICROS = "_id", "_micros"


@dataclass(frozen=True, slots=True)
class Sampled:
    """A row to prove: its id, its instant (UTC), and its keys by column of the spine."""

    row_id: str
    as_of: datetime
    keys: Mapping[str, object]

    def values(self, relation: Relation) -> tuple[object, ...] | None:
        """What related source rows hold; None where the row lacks a key, or the relation has none."""
        found = tuple(self.keys[key] for key in relation.keys)
        return found if found and None not in found else None


def choose(rows: DataFrame, row: str, relations: Sequence[Relation], size: int) -> list[Sampled]:
    """At most ``size`` rows, the same ones on every run; no rows give none.

    Args:
        rows: ``as_of``, the row id and the keys that the relations name.
    """
    row_id = F.col(row).cast("string")
    candidates = rows.orderBy(F.xxhash64(row_id), row_id).limit(CANDIDATES * size)
    chosen: list[Sampled] = []
    taken: set[tuple[object, ...]] = set()
    for sampled in sampled_of(candidates, row, relations):
        claims = _claims(sampled, relations)
        if len(chosen) < size and not claims & taken:
            chosen.append(sampled)
            taken |= claims
    return chosen


def sampled_of(rows: DataFrame, row: str, relations: Sequence[Relation]) -> list[Sampled]:
    """Few rows as they are proved; those without an instant are left out."""
    keys = list(dict.fromkeys(key for relation in relations for key in relation.keys))
    found = rows.where(F.col(AS_OF).isNotNull()).select(
        F.col(row).cast("string").alias(_ID),
        F.unix_micros(AS_OF).alias(_MICROS),
        *(F.col(key).alias(f"_key_{place}") for place, key in enumerate(keys)),
    )
    return [
        Sampled(row_id, at_micros(micros), dict(zip(keys, values, strict=True)))
        for row_id, micros, *values in found.collect()
    ]


def only(rows: DataFrame, row: str, ids: Collection[str]) -> DataFrame:
    """The rows with these ids."""
    return rows.where(F.col(row).cast("string").isin(list(ids)))


def at_micros(micros: int) -> datetime:
    """An instant from microseconds since 1970, UTC."""
    return EPOCH + timedelta(microseconds=micros)


def _claims(sampled: Sampled, relations: Sequence[Relation]) -> set[tuple[object, ...]]:
    found = ((relation, sampled.values(relation)) for relation in relations)
    return {(relation.source, relation.columns, values) for relation, values in found if values is not None}
