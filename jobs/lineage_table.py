"""The table ``lineage``: which columns of which logs a feature reads, and which models read the feature."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import functions as F

from features.declare import FeatureView
from features.definition_hash import definition_hash
from features.lineage import Read
from lake.described import described
from lake.quoted import quoted
from lake.tables import Lake, TableSpec

LINEAGE = TableSpec(
    "lineage",
    "One row per column of a log that a feature reads, for each definition of it, and again for each model version",
    described(
        "view string: Feature view",
        "definition_hash string: Hash of the view's definition",
        "feature string: Feature of the view",
        "log string: Log that is read",
        "column string: Column of the log",
        "use string: What it is read for: key, time, value, condition, order, link or query",
        "via string: Link or derived source it is read through; empty where none is",
        "model string: Registered model that reads the feature; null for the feature itself",
        "model_version long: Version of the model",
    ),
)


def write_lineage(lake: Lake, view: FeatureView, reads: Sequence[Read]) -> None:
    """Let the table say of this definition of the view what ``reads`` does; nothing is written where it does."""
    lake.ensure(LINEAGE)
    fingerprint = definition_hash(view)
    where = f"view = {quoted(view.name)} AND definition_hash = {quoted(fingerprint)} AND model IS NULL"
    wanted = {
        (view.name, fingerprint, read.feature, read.log, read.column, read.use, read.via, None, None)
        for read in reads
    }
    if {tuple(row) for row in lake.read(LINEAGE.name).where(where).collect()} == wanted:
        return
    rows = lake.spark.createDataFrame(sorted(wanted, key=str), LINEAGE.schema)
    lake.replace(LINEAGE.name, rows, where=where)


def write_model_lineage(lake: Lake, view: FeatureView, model: str, version: int) -> None:
    """Say of a model version that it reads every feature of the view, and all that they read."""
    lake.ensure(LINEAGE)
    of_view = (F.col("view") == view.name) & (F.col("definition_hash") == definition_hash(view))
    rows = (
        lake.read(LINEAGE.name)
        .where(of_view & F.col("model").isNull())
        .withColumns({"model": F.lit(model), "model_version": F.lit(version).cast("long")})
    )
    where = f"model = {quoted(model)} AND model_version = {int(version)}"
    lake.replace(LINEAGE.name, rows, where=where)
