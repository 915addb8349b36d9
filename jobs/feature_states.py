"""The table ``feature_states``: what is long past, summed up per key, so that a build reads only what windows hold.

A state is carried on from build to build: the next one is made of it and of what began to count since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from features.began import micros_of
from features.cuts import cuts
from features.declare import FeatureView
from features.definition_hash import definition_hash
from features.source import Source
from features.view import view_states
from features.windows.state import SCHEMA, State
from lake.contracts import Contract
from lake.described import described
from lake.ingest.schemas import BATCHES
from lake.layout import Layout
from lake.quoted import quoted
from lake.tables import Lake, TableSpec

FEATURE_STATES = TableSpec(
    "feature_states",
    "What lifetime windows see of the events that began to count before an instant, summed up per view and key",
    StructType(
        [
            *described(
                "view string: Feature view",
                "made_with string: Fingerprint of the view's definition, its logs' columns and the code",
                "known_before timestamp: What began to count before this instant is in it, nothing else (UTC)",
                "batches long: Batches of the view's logs that had events known by then",
                "entity string: Entity of the view",
            ),
            *SCHEMA,
        ]
    ),
    # No ranges of ids: the log of the table would keep those of an erased person.
    layout=Layout(ranges=("view", "known_before", "entity")),
)


@dataclass(frozen=True, slots=True)
class KeptStates:
    """The states of one view at one instant, by the entity's name."""

    known_before: datetime
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class FeatureStates:
    """The states of one view. A lake without finished batches has none."""

    lake: Lake
    view: FeatureView
    contracts: Mapping[str, Contract]

    def newest(self, at: datetime | None = None) -> KeptStates | None:
        """The latest states that still hold, of ``at`` or before if it is given; None where there are none.

        A state no longer holds where a log was given events since that the state should have seen: history that a
        contract declares as such. Everything else that is ingested later is known after the seal, and so after the
        state.
        """
        if not self.lake.exists(FEATURE_STATES.name):
            return None
        of_view = self.lake.read(FEATURE_STATES.name).where(
            (F.col("view") == self.view.name) & (F.col("made_with") == self._made_with)
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
            if row["batches"] == self._batches_before(known_before):
                rows = of_view.where(F.col("known_before") == F.lit(known_before))
                states = {name: _state(rows, name, known_before) for name in row["entities"]}
                return KeptStates(known_before, states)
        return None

    def cuts_of_queries(self, instant: datetime, sources: Mapping[str, Source]) -> dict[str, set[int]]:
        """After which instants, in microseconds, ``at`` and a build from what it gives may read events of queries.

        By the name of each query with a lookback, whether there are states or not.
        """
        kept = self.newest(instant)
        found: dict[str, set[int]] = {}
        for known_before in dict.fromkeys([instant, kept.known_before if kept else instant]):
            for name, instants in cuts(self.view, sources, _until(known_before)).items():
                found.setdefault(name, set()).update(instants)
        return found

    def at(
        self, instant: datetime, sources: Mapping[str, Source], *, ingested: int | None
    ) -> Mapping[str, State]:
        """The states at an instant, by the entity's name: as they are kept, or carried on to it and kept.

        Earlier ones are given up, but for the one that this one was made of. No events before, no state.

        Args:
            ingested: version of ``ingest_batches`` from before the events were looked at; None where it did not exist.
        """
        batches = 0 if ingested is None else self._batches_before(instant, version=ingested)
        if not batches:
            return {}
        self.lake.ensure(FEATURE_STATES)
        kept = self.newest(instant)
        if kept is None or kept.known_before < instant:
            made = view_states(self.view, sources, _until(instant), kept.states if kept else None)
            if not made:
                return {}
            self._keep(made, instant, batches, kept)
            kept = self.newest(instant)
        return kept.states if kept else {}

    def _keep(
        self, made: Mapping[str, State], instant: datetime, batches: int, before: KeptStates | None
    ) -> None:
        named = [state.rows.withColumn("entity", F.lit(name)) for name, state in made.items()]
        rows = reduce(DataFrame.unionByName, named).withColumns(
            {
                "view": F.lit(self.view.name),
                "made_with": F.lit(self._made_with),
                "known_before": F.lit(instant),
                "batches": F.lit(batches).cast("long"),
            }
        )
        given_up = f"view = {quoted(self.view.name)} AND known_before <= {_sql(instant)}"
        if before is not None:
            given_up += f" AND known_before <> {_sql(before.known_before)}"
        self.lake.replace(FEATURE_STATES.name, rows, where=given_up)

    def _batches_before(self, instant: datetime, *, version: int | None = None) -> int:
        """How many finished batches of the view's logs had events that were known before an instant."""
        batches = self.lake.read(BATCHES.name, version=version).where(
            F.col("log").isin(list(self.view.sources))
        )
        return batches.where(F.col("known_from") < F.lit(instant)).count()

    @property
    def _made_with(self) -> str:
        """Changes with all that decides what the numbers in a state mean."""
        columns = {log: self.contracts[log].event_schema.simpleString() for log in self.view.sources}
        said = [definition_hash(self.view), self.lake.stamp.code_version, columns]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def _state(rows: DataFrame, entity: str, known_before: datetime) -> State:
    of_entity = rows.where(F.col("entity") == entity).select(*SCHEMA.names)
    return State(_until(known_before), of_entity)


def _until(known_before: datetime) -> int:
    """The last microsecond before an instant."""
    return micros_of(known_before) - 1


def _sql(at: datetime) -> str:
    return f"timestamp '{at.isoformat()}'"
