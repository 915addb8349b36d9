"""A dimension follows its events: the things that new batches touch are computed again, whole, in one commit.

``dimension_batches`` notes batches after the things of all dimensions are written, so a run that was killed in between
computes them once more, to the same rows.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

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


def refresh(lake: Lake, contracts: Sequence[Contract]) -> dict[str, int]:
    """Bring the dimensions of change logs up to date with their events. Safe to run again after a kill at any instant.

    Args:
        contracts: those of logs that are no change logs have no dimension, and are left out.

    Returns:
        By the name of each dimension, how many batches were new to it.

    Raises:
        SchemaError: a dimension has other columns than the contract gives it.
    """
    declared = [(contract, contract.changes) for contract in contracts if contract.changes is not None]
    if not declared:
        return {}
    lake.ensure(DIMENSION_BATCHES)
    noted, with_events = _noted(lake), _with_events(lake)
    new, rows = dict[str, int](), list[tuple[str, str, str]]()
    for contract, changes in declared:
        batches = _refresh(lake, contract, changes, noted[contract.log], with_events[contract.log])
        rows += [(contract.log, batch, _hash(changes)) for batch in batches]
        new[contract.dimension] = len(batches)
    if rows:
        lake.append(DIMENSION_BATCHES.name, lake.spark.createDataFrame(rows, DIMENSION_BATCHES.schema))
    return new


def rebuild(lake: Lake, contract: Contract) -> None:
    """Build the dimension of a change log from the events there are, after some were removed; else do nothing."""
    if contract.changes is None or not lake.exists(contract.dimension):
        return
    lake.ensure(DIMENSION_BATCHES)
    _forget(lake, contract.log)
    if not refresh(lake, [contract])[contract.dimension]:
        _build(lake, contract, contract.changes, dimension(contract, contract.changes))


def _refresh(
    lake: Lake,
    contract: Contract,
    changes: Changes,
    noted: AbstractSet[tuple[str, str]],
    with_events: AbstractSet[str],
) -> list[str]:
    """Bring one dimension up to date; returns the batches that were new to it, yet to be noted.

    Args:
        noted: hash of the declaration and batch, of all that was ever noted of the log.
        with_events: the finished batches of the log that brought events.
    """
    spec, declared = dimension(contract, changes), _hash(changes)
    is_there = lake.exists(spec.name)
    known = {batch for of, batch in noted if of == declared} if is_there else set()
    new = sorted(with_events - known)
    if known or not new:
        lake.widen(spec)
    if new and known:
        _merge(lake, contract, changes, new)
    elif new:
        if noted:  # it tells of another table
            _forget(lake, contract.log)
        _build(lake, contract, changes, spec)
    return new


def _hash(changes: Changes) -> str:
    return hashlib.sha256(changes.model_dump_json().encode()).hexdigest()[:16]


def _noted(lake: Lake) -> defaultdict[str, set[tuple[str, str]]]:
    """What is noted of each log."""
    noted: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in lake.read(DIMENSION_BATCHES.name).collect():
        noted[row["log"]].add((row["declared"], row["ingest_batch"]))
    return noted


def _with_events(lake: Lake) -> defaultdict[str, set[str]]:
    """The finished batches of each log that brought events."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in lake.read(BATCHES.name).where("rows_out > 0").select("log", "ingest_batch").collect():
        found[row["log"]].add(row["ingest_batch"])
    return found


def _forget(lake: Lake, log: str) -> None:
    """Drop what is noted of a log."""
    empty = lake.spark.createDataFrame([], DIMENSION_BATCHES.schema)
    lake.replace(DIMENSION_BATCHES.name, empty, where=f"log = {quoted(log)}")


def _build(lake: Lake, contract: Contract, changes: Changes, spec: TableSpec) -> None:
    """Build the dimension from all events."""
    rows = versions(lake.read(contract.table), contract, changes)
    if lake.exists(spec.name):
        lake.recreate(spec, rows)
    else:
        lake.ensure(spec)
        lake.append(spec.name, rows)


def _merge(lake: Lake, contract: Contract, changes: Changes, new: Sequence[str]) -> None:
    """Put in the versions of everything that the batches touch. Events only come, so no version ever goes."""
    events = lake.read(contract.table)
    touched = events.where(F.col("ingest_batch").isin(*new)).select(*changes.key).distinct()
    rows = versions(events.join(touched, on=list(changes.key), how="left_semi"), contract, changes)
    same = " AND ".join(f"held.`{name}` = found.`{name}`" for name in (*changes.key, changes.order))
    then = "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    lake.merge(contract.dimension, rows, on=same, then=then)
