"""Old versions of tables, which hold what was removed until their files are gone too."""

from __future__ import annotations

from lake.session_settings import FEW_LIST_TASKS, session_settings
from lake.tables import Lake

# What Delta takes for safe: no reader and no writer is expected to need files that were replaced longer ago.
SAFE_HOURS = 168
# Delta would go by the table's property, or refuse less than it, whatever the statement says.
_AS_TOLD = {
    "spark.databricks.delta.vacuum.retentionWindowIgnore.enabled": "false",
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
}


def vacuum(lake: Lake, table: str, hours: int) -> int:
    """Delete the files that only versions older than ``hours`` need; fewer than Delta takes for safe, if asked for.

    Returns:
        The version as which the table stands now.
    """
    if _marks_rows(lake, table):
        # Rows that are only marked as deleted are still in files that the table needs.
        lake.spark.sql(f"REORG TABLE {lake.place(table)} APPLY (PURGE)")
    with session_settings(lake.spark, FEW_LIST_TASKS | _AS_TOLD):
        lake.spark.sql(f"VACUUM {lake.place(table)} RETAIN {int(hours)} HOURS")
    return lake.version(table) or 0


def _marks_rows(lake: Lake, table: str) -> bool:
    described = lake.spark.sql(f"DESCRIBE DETAIL {lake.place(table)}").head()
    return described is not None and "deletionVectors" in (described["tableFeatures"] or [])
