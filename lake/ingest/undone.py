"""Loads that were taken back, and how that lets the same files be ingested again."""

from __future__ import annotations

from collections import Counter

from pyspark.sql import functions as F

from lake.described import described
from lake.errors import RefusedError
from lake.layout import Layout
from lake.tables import Lake, TableSpec

BEGUN, DONE = "begun", "done"

UNDONE = TableSpec(
    "undone_loads",
    "One row per batch each time it was taken back, written before the first of its rows is removed",
    described(
        "log string: Contract that read the batch",
        "ingest_batch string: Batch that was taken back",
        "kind string: delivery or replay",
        "loaded_by string: Run that finished the batch; null where none did, or where that was not noted yet",
        "state string: begun, or done when all rows are removed",
        "run_id string: Run that began to take it back",
        "reason string: Why, as the operator said",
        "because string: Asked for, or the batch it had to go with, and why",
        "events long: Events removed",
        "quarantined long: Rows removed from the quarantine",
        "files long: Raw files that may be ingested again",
        "dependents string: Runs that had read its events, directly or not; one a line",
    ),
    # Not of reasons, which may mention a person.
    layout=Layout(ranges=("log", "ingest_batch", "state", "run_id")),
)


def times_undone(lake: Lake) -> Counter[tuple[str, str]]:
    """How often each batch, by its log and itself, was taken back; a batch that never was counts as 0."""
    if not lake.exists(UNDONE.name):
        return Counter()
    return Counter((row["log"], row["ingest_batch"]) for row in lake.read(UNDONE.name).collect())


def check_none_begun(lake: Lake) -> None:
    """Refuse to work on event tables of which some rows are being removed.

    Raises:
        RefusedError: a load was taken back in part, by a run that did not end.
    """
    if not lake.exists(UNDONE.name):
        return
    begun = lake.read(UNDONE.name).where(F.col("state") == BEGUN).head()
    if begun is not None:
        raise RefusedError(
            f"batch {begun['ingest_batch']} of {begun['log']} was taken back in part by run {begun['run_id']}, which "
            f"did not end; run undo_load --batch {begun['ingest_batch']} to finish that, then run this again"
        )
