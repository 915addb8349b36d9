"""The last rows of a past that can be corrected or taken back too late to matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.prove.relation import Relation
from features.source import Source
from features.view import AS_OF
from lake.contracts import REVISION

_ID, _AS_OF, _LAST = "_id", "_as_of", "_last"


def last_rows(
    source: Source, spine: DataFrame, row: str, relations: Sequence[Relation]
) -> dict[str, Mapping[str, object]]:
    """For each described row, by id, the last related row of its past that is no revision; none where there is none."""
    found: dict[str, Mapping[str, object]] = {}
    for relation in relations:
        keys = [f"_key_{place}" for place in range(len(relation.keys))]
        pairs = zip(relation.keys, keys, strict=True)
        described = spine.select(
            F.col(row).cast("string").alias(_ID),
            F.col(AS_OF).alias(_AS_OF),
            *(F.col(name).alias(key) for name, key in pairs),
        )
        belongs = (F.col("event_at") < F.col(_AS_OF)) & (F.col("known_at") < F.col(_AS_OF))
        for own, key in zip(relation.columns, keys, strict=True):
            belongs &= F.col(own) == F.col(key)
        originals = source.rows.where(F.col(REVISION).isNull())
        past = originals.join(F.broadcast(described), on=belongs, how="inner")
        latest = F.max_by(F.struct(*source.rows.columns), F.struct("event_at", source.row_id))
        lasts = past.groupBy(_ID).agg(latest.alias(_LAST)).collect()
        found |= {one[_ID]: one[_LAST].asDict() for one in lasts}
    return found
