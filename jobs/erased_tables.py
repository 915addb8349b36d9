"""Every table of a lake that may hold a person's rows, and by what each of them is known to be the person's.

What was made of events comes before the events: they tell which rows of it are the person's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from features.declare import Calendar, FeatureView
from features.hot_key_report import HOT_KEYS
from features.prove.table import FEATURE_PROOFS
from features.view import DEFINITION
from jobs.definitions import Definitions
from jobs.feature_states import FEATURE_STATES
from jobs.restatements import RESTATEMENTS
from lake.contracts import Contract
from lake.erase.person import Person
from lake.erase.quarantine import quarantined_rows
from lake.erase.rows import PersonalRows, mentioning, naming
from lake.ingest.schemas import QUARANTINE
from lake.quoted import quoted
from lake.tables import Lake
from scoring.tables import scores
from training.training_set import table_spec as training_set_spec

_ROW = "row"
_MENTIONED = {
    HOT_KEYS.name: ("key",),
    FEATURE_STATES.name: ("key", "value"),
    RESTATEMENTS.name: ("row_id", "as_known", "restated"),
    FEATURE_PROOFS.name: ("row_id", "source_row", "expected", "found", "note"),
}
_OURS = ("events_", "dim_", "features_", "training_", "scores_")


def personal_rows(
    lake: Lake, contracts: Mapping[str, Contract], definitions: Definitions, person: Person
) -> list[PersonalRows]:
    """The person's rows of every table there is, in the order in which they may be removed; dimensions left out."""
    known = person.table(lake.spark)
    named = [contract for contract in contracts.values() if contract.subject and lake.exists(contract.table)]
    found: list[PersonalRows] = []
    for view in definitions.views.values():
        found += _of_view(lake, contracts, definitions, view, person)
    for table, columns in _MENTIONED.items():
        found.append(PersonalRows(table, known, mentioning(*columns), columns))
    found += _undeclared(lake, contracts, definitions, person)
    if lake.exists(QUARANTINE.name):
        found.append(quarantined_rows(lake, contracts, person))
    for contract in named:
        found.append(PersonalRows(contract.table, known, naming(*contract.subject), contract.subject))
    return [rows for rows in found if lake.exists(rows.table)]


def dimension_rows(lake: Lake, contract: Contract, person: Person) -> PersonalRows | None:
    """The person's rows of a dimension, which are not removed but made anew from the events that are left."""
    if not contract.subject or not contract.changes or not lake.exists(contract.dimension):
        return None
    return PersonalRows(
        contract.dimension, person.table(lake.spark), naming(*contract.subject), contract.subject
    )


def _of_view(
    lake: Lake,
    contracts: Mapping[str, Contract],
    definitions: Definitions,
    view: FeatureView,
    person: Person,
) -> Iterator[PersonalRows]:
    rows = _row_ids(lake, contracts[view.spine.source], view, person)
    if rows is None:
        return
    for model in definitions.models.values():
        if model.view.name == view.name:
            training, digest = training_set_spec(model.name).name, person.table(lake.spark)
            yield PersonalRows(scores(model.name).name, rows, "held.row_id = found.row", ("row_id",))
            yield PersonalRows(training, rows, "held.`row` = sha2(found.row, 256)")
            yield PersonalRows(training, digest, "held.entity = found.digest")
    of_view = f"held.view = {quoted(view.name)} AND held.row_id = found.row"
    yield PersonalRows(RESTATEMENTS.name, rows, of_view, _MENTIONED[RESTATEMENTS.name])
    of_table = f"held.`table` = {quoted(view.table)} AND held.row_id = found.row"
    yield PersonalRows(FEATURE_PROOFS.name, rows, of_table, _MENTIONED[FEATURE_PROOFS.name])
    hidden = tuple(_texts(lake, view.table)) if lake.exists(view.table) else ()
    yield PersonalRows(view.table, rows, f"held.`{view.spine.row}` = found.row", hidden)


def _row_ids(lake: Lake, contract: Contract, view: FeatureView, person: Person) -> DataFrame | None:
    """The ids of the view's rows that are the person's, as events and features tell; None where neither is there."""
    known, row = F.broadcast(person.table(lake.spark)).alias("found"), F.col(f"`{view.spine.row}`")
    parts = []
    if lake.exists(contract.table) and contract.subject and not isinstance(view.spine.as_of, Calendar):
        events = lake.read(contract.table).alias("held")
        parts.append(events.join(known, on=F.expr(naming(*contract.subject)), how="left_semi"))
    if lake.exists(view.table):
        features = lake.read(view.table).alias("held")
        keys = [name for name in _texts(lake, view.table) if name not in {view.spine.row, DEFINITION}]
        is_named = mentioning(view.spine.row) + (f" OR {naming(*keys)}" if keys else "")
        parts.append(features.join(known, on=F.expr(is_named), how="left_semi"))
    ids = [part.select(row.cast("string").alias(_ROW)) for part in parts]
    return reduce(DataFrame.unionByName, ids).distinct() if ids else None


def _undeclared(
    lake: Lake, contracts: Mapping[str, Contract], definitions: Definitions, person: Person
) -> Iterator[PersonalRows]:
    """Tables of logs, views and models that nothing declares any more: every text in them is looked at."""
    declared = {name for one in contracts.values() for name in (one.table, one.dimension)}
    declared |= {view.table for view in definitions.views.values()}
    for model in definitions.models:
        declared |= {scores(model).name, training_set_spec(model).name}
    for table in lake.names():
        if table.startswith(_OURS) and table not in declared:
            texts = _texts(lake, table)
            if texts:
                digest = " OR held.entity = found.digest" if {"entity", _ROW} <= set(texts) else ""
                yield PersonalRows(table, person.table(lake.spark), naming(*texts) + digest, tuple(texts))


def _texts(lake: Lake, table: str) -> Sequence[str]:
    return [field.name for field in lake.read(table).schema if isinstance(field.dataType, StringType)]
