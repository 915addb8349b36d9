"""The table ``restatements``: cells of features already built that late events would have changed."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.declare import FeatureView
from lake.described import described
from lake.layout import Layout
from lake.quoted import quoted
from lake.tables import Lake, TableSpec

RESTATEMENTS = TableSpec(
    "restatements",
    "One row per feature of a built row that an event which came too late would have changed, in the build that saw it",
    described(
        "view string: Feature view",
        "known_before timestamp: End of the build's range: what is known before it is restated (UTC)",
        "row_id string: Id of the spine row",
        "as_of timestamp: Instant the row describes (UTC)",
        "feature string: Feature of the view",
        "as_known string: Value as it could be known, which stands in the feature table",
        "restated string: Value with every event known when it was told",
    ),
    # No ranges of ids: the log of the table would keep those of an erased person.
    layout=Layout(ranges=("view", "known_before", "as_of")),
)


def write_restatements(lake: Lake, view: FeatureView, known_before: datetime, cells: DataFrame) -> int:
    """Let the table say of this view and instant what ``cells`` does; returns how many there are."""
    lake.ensure(RESTATEMENTS)
    rows = cells.withColumns({"view": F.lit(view.name), "known_before": F.lit(known_before)})
    where = f"view = {quoted(view.name)} AND known_before = timestamp '{known_before.isoformat()}'"
    lake.replace(RESTATEMENTS.name, rows, where=where)
    return lake.read(RESTATEMENTS.name).where(where).count()
