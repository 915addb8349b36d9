"""The table ``table_maintenance``: what was done to how tables are stored, and what can no longer be read since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pyspark.sql import functions as F

from lake.described import described
from lake.quoted import quoted
from lake.tables import Lake, TableSpec

BEGUN, DONE = "begun", "done"

MAINTENANCE = TableSpec(
    "table_maintenance",
    "One row per table each time it was stored anew or freed of old files, written before the first of it is done",
    described(
        "table string: Table",
        "run_id string: Run that began it; a later one finishes what was killed",
        "state string: begun, or done",
        "begun_at timestamp: Begin (UTC)",
        "finished_at timestamp: End (UTC)",
        "data_version long: Version of its rows, before and after",
        "changes string: Statements that changed how it is declared to be stored; one a line",
        "files_before long: Files of the table before",
        "bytes_before long: Their bytes",
        "files_after long: Files of the table after",
        "bytes_after long: Their bytes",
        "removed_files long: Files that no kept version needs, removed from storage",
        "removed_bytes long: Their bytes",
        "retain_hours long: For how long replaced files were kept",
        "readable_from long: Oldest data version whose rows can still be read; null where none was lost",
    ),
)


def begun(lake: Lake) -> dict[str, str]:
    """The runs that began what is not done yet, by table."""
    if not lake.exists(MAINTENANCE.name):
        return {}
    rows = lake.read(MAINTENANCE.name).where(F.col("state") == BEGUN).collect()
    return {row["table"]: row["run_id"] for row in rows}


def begin(lake: Lake, rows: Iterable[Mapping[str, object]]) -> None:
    """Note what is about to be done; the rows lack what is known afterwards."""
    names = MAINTENANCE.schema.fieldNames()
    known = {"run_id": lake.stamp.run_id, "state": BEGUN}
    values = [tuple((row | known).get(name) for name in names) for row in map(dict, rows)]
    if values:
        lake.append(MAINTENANCE.name, lake.spark.createDataFrame(values, MAINTENANCE.schema))


def finish(lake: Lake, after: Mapping[str, tuple[int, int]], at: datetime) -> None:
    """Note as done what was begun of these tables, with the files and bytes they have now."""
    runs = {run for table, run in begun(lake).items() if table in after}
    if not runs:
        return
    where = f"run_id IN ({_list(runs)}) AND table IN ({_list(after)})"
    rows = [row.asDict() for row in lake.read(MAINTENANCE.name).where(where).collect()]
    for row in rows:
        if row["state"] == BEGUN:
            files, size = after[row["table"]]
            row |= {"state": DONE, "finished_at": at, "files_after": files, "bytes_after": size}
    values = [tuple(row[name] for name in MAINTENANCE.schema.fieldNames()) for row in rows]
    lake.replace(MAINTENANCE.name, lake.spark.createDataFrame(values, MAINTENANCE.schema), where=where)


def _list(texts: Collection[str]) -> str:
    return ", ".join(map(quoted, sorted(texts)))
