"""The table ``feature_states``: what is long past, summed up per key, so that a build reads only what windows hold.

A state is carried on from build to build: the next one is made of it and of what began to count since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from features.declare import FeatureView
from features.definition_hash import definition_hash
from features.source import Source
from features.view import view_states
from features.windows.state import SCHEMA, State
from lake.described import described
from lake.ingest.schemas import BATCHES
from lake.quoted import quoted
from lake.tables import Lake, TableSpec

FEATURE_STATES = TableSpec(
    "feature_states",
    "What lifetime windows see of the events that began to count before an instant, summed up per view and key",
    StructType(
        [
            *described(
                "view string: Feature view",
                "definition_hash string: Definition of the view it was made with",
                "known_before timestamp: What began to count before this instant is in it, nothing else (UTC)",
                "batches long: Batches of the view's logs that had events known by then",
                "entity string: Entity of the view",
            ),
            *SCHEMA,
        ]
    ),
)

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class KeptStates:
    """The states of one view at one instant, by the entity's name."""

    known_before: datetime
    states: Mapping[str, State]


def newest_states(lake: Lake, view: FeatureView, at: datetime | None = None) -> KeptStates | None:
    """The latest states that still hold, of ``at`` or before if it is given; None where there are none.

    A state no longer holds where a log was given events since that the state should have seen: history that a contract
    declares as such. Everything else that is ingested later is known after the seal, and so after the state.
    """
    if not lake.exists(FEATURE_STATES.name):
        return None
    of_view = lake.read(FEATURE_STATES.name).where(
        (F.col("view") == view.name) & (F.col("definition_hash") == definition_hash(view))
    )
    found = (
        of_view.where(F.lit(True) if at is None else F.col("known_before") <= F.lit(at))
        .groupBy("known_before")
        .agg(F.max("batches").alias("batches"), F.collect_set("entity").alias("entities"))
        .orderBy(F.col("known_before").desc())
        .collect()
    )
    for row in found:
        known_before = row["known_before"].replace(tzinfo=UTC)
        if row["batches"] == _batches_before(lake, view, known_before):
            rows = of_view.where(F.col("known_before") == F.lit(known_before))
            return KeptStates(
                known_before, {name: _state(rows, name, known_before) for name in row["entities"]}
            )
    return None


def states_at(
    lake: Lake, view: FeatureView, sources: Mapping[str, Source], at: datetime, *, ingested: int | None
) -> Mapping[str, State]:
    """The states of a view at an instant, by the entity's name: as they are kept, or carried on to it and kept.

    Earlier ones are given up, but for the one that this one was made of. No events before, no state.

    Args:
        ingested: version of ``ingest_batches`` from before the events were looked at; None where it did not exist.
    """
    batches = 0 if ingested is None else _batches_before(lake, view, at, version=ingested)
    if not batches:
        return {}
    lake.ensure(FEATURE_STATES)
    before = newest_states(lake, view, at)
    if before is None or before.known_before < at:
        made = view_states(view, sources, _until(at), before.states if before else None)
        if not made:
            return {}
        named = [state.rows.withColumn("entity", F.lit(name)) for name, state in made.items()]
        rows = reduce(DataFrame.unionByName, named).withColumns(
            {
                "view": F.lit(view.name),
                "definition_hash": F.lit(definition_hash(view)),
                "known_before": F.lit(at),
                "batches": F.lit(batches).cast("long"),
            }
        )
        given_up = f"view = {quoted(view.name)} AND known_before <= {_sql(at)}"
        if before is not None:
            given_up += f" AND known_before <> {_sql(before.known_before)}"
        lake.replace(FEATURE_STATES.name, rows, where=given_up)
        before = newest_states(lake, view, at)
    return before.states if before else {}


def _batches_before(lake: Lake, view: FeatureView, at: datetime, *, version: int | None = None) -> int:
    """How many finished batches of the view's logs had events that were known before an instant."""
    batches = lake.read(BATCHES.name, version=version).where(F.col("log").isin(list(view.sources)))
    return batches.where(F.col("known_from") < F.lit(at)).count()


def _state(rows: DataFrame, entity: str, known_before: datetime) -> State:
    of_entity = rows.where(F.col("entity") == entity).select(*SCHEMA.names)
    return State(_until(known_before), of_entity)


def _until(known_before: datetime) -> int:
    """The last microsecond before an instant."""
    return (known_before - _EPOCH) // _MICROSECOND - 1


def _sql(at: datetime) -> str:
    return f"timestamp '{at.isoformat()}'"
