"""A dimension follows its events: the things that new batches touch are computed again, whole, in one commit.

``dimension_batches`` notes a batch after its things are written, so a run that was killed in between computes them once
more, to the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType, TimestampType

from lake.contracts import VALID_FROM, VALID_TO, Changes, Contract
from lake.described import described
from lake.dimensions.versions import versions
from lake.ingest.schemas import BATCHES
from lake.layout import Layout
from lake.quoted import quoted
from lake.tables import Lake, TableSpec

DIMENSION_BATCHES = TableSpec(
    "dimension_batches",
    "One row per batch of a change log that is in its dimension",
    described(
        "log string: Change log",
        "ingest_batch string: Batch, as in ingest_batches",
        "declared string: Hash of what made the log a change log; the dimension is built anew for another one",
    ),
)


def dimension(contract: Contract, changes: Changes) -> TableSpec:
    """The table of a change log's versions."""
    kept = [
        field
        for field in contract.event_schema
        if field.name in contract.columns and field.name != changes.op
    ]
    times = {
        VALID_FROM: "From when on it stood so (UTC)",
        VALID_TO: "Until when, outside (UTC); null: it stands so now",
        "known_at": "When the change to it was known (UTC)",
    }
    fields = [
        *kept,
        *(StructField(name, TimestampType(), metadata={"comment": said}) for name, said in times.items()),
    ]
    about = f"One row per version of {', '.join(changes.key)}, as known now: {contract.description}"
    keys = [name for name in changes.key if name not in contract.subject]
    layout = Layout(ranges=(*keys, VALID_FROM, VALID_TO))
    return TableSpec(contract.dimension, about, StructType(fields), layout=layout)


def refresh(lake: Lake, contract: Contract) -> int:
    """Bring the dimension of a change log up to date with its events. Safe to run again after a kill at any instant.

    Returns:
        How many batches were new to it; 0 where none was, or where the log is no change log.

    Raises:
        SchemaError: the dimension has other columns than the contract gives it.
    """
    changes = contract.changes
    if changes is None:
        return 0
    lake.ensure(DIMENSION_BATCHES)
    spec, declared = dimension(contract, changes), _declared(changes)
    noted = _noted(lake, contract, declared)
    new = sorted(_with_events(lake, contract) - noted)
    is_built = bool(noted) and lake.exists(spec.name)
    if is_built or not new:
        lake.widen(spec)
    if new and is_built:
        _merge(lake, contract, changes, new)
    elif new:
        _rebuild(lake, contract, changes, spec)
    if new:
        rows = [(contract.log, batch, declared) for batch in new]
        lake.append(DIMENSION_BATCHES.name, lake.spark.createDataFrame(rows, DIMENSION_BATCHES.schema))
    return len(new)


def rebuild(lake: Lake, contract: Contract) -> None:
    """Build the dimension of a change log from the events there are, after some were removed; else do nothing."""
    if contract.changes is None or not lake.exists(contract.dimension):
        return
    lake.ensure(DIMENSION_BATCHES)
    _rebuild(lake, contract, contract.changes, dimension(contract, contract.changes))
    refresh(lake, contract)


def _declared(changes: Changes) -> str:
    return hashlib.sha256(changes.model_dump_json().encode()).hexdigest()[:16]


def _noted(lake: Lake, contract: Contract, declared: str) -> set[str]:
    """The batches that are in the dimension as it is declared now; none where it has to be built."""
    if not lake.exists(contract.dimension):
        return set()
    rows = lake.read(DIMENSION_BATCHES.name).where(
        (F.col("log") == contract.log) & (F.col("declared") == declared)
    )
    return {row["ingest_batch"] for row in rows.select("ingest_batch").collect()}


def _with_events(lake: Lake, contract: Contract) -> set[str]:
    """The finished batches that brought events."""
    rows = lake.read(BATCHES.name).where((F.col("log") == contract.log) & (F.col("rows_out") > 0))
    return {row["ingest_batch"] for row in rows.select("ingest_batch").collect()}


def _rebuild(lake: Lake, contract: Contract, changes: Changes, spec: TableSpec) -> None:
    """Build the dimension from all events; what is noted goes first, for it tells of another table."""
    empty = lake.spark.createDataFrame([], DIMENSION_BATCHES.schema)
    lake.replace(DIMENSION_BATCHES.name, empty, where=f"log = {quoted(contract.log)}")
    if not lake.exists(spec.name):
        lake.ensure(spec)
    lake.recreate(spec, versions(lake.read(contract.table), contract, changes))


def _merge(lake: Lake, contract: Contract, changes: Changes, new: Sequence[str]) -> None:
    """Put in the versions of everything that the batches touch. Events only come, so no version ever goes."""
    events = lake.read(contract.table)
    touched = events.where(F.col("ingest_batch").isin(*new)).select(*changes.key).distinct()
    rows = versions(events.join(touched, on=list(changes.key), how="left_semi"), contract, changes)
    same = " AND ".join(f"held.`{name}` = found.`{name}`" for name in (*changes.key, changes.order))
    then = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    lake.merge(contract.dimension, rows, on=same, then=then)
