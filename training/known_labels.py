"""What labels say of rows by an instant: fraud, not fraud, or not known yet."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.declare import Calendar
from features.labels import Label
from training.model import Model

KNOWN_LABEL, FRAUD_KNOWN_AT = "known_label", "fraud_known_at"
FRAUD, NOT_FRAUD, UNKNOWN = "fraud", "not fraud", "unknown"
_COMMENTS = {
    FRAUD_KNOWN_AT: "When a label first said fraud (UTC); null where none did",
    KNOWN_LABEL: "fraud, not fraud, unknown where a label may still come, null where no model describes the row",
}


def first_told(
    label_events: DataFrame, label: Label, *, row: str, told_at: str, as_of: datetime
) -> DataFrame:
    """One row per id, in column ``row``, that label events known before ``as_of`` call fraud, and since when."""
    said = label_events.where(F.expr(label.fraud)).where(F.col("known_at") < F.lit(as_of))
    return said.groupBy(F.col(label.on).cast("string").alias(row)).agg(F.min("known_at").alias(told_at))


def can_label_events(model: Model) -> bool:
    """Whether the model's rows are events of a log, and not instants of a calendar."""
    return not isinstance(model.view.spine.as_of, Calendar)


def with_known_labels(events: DataFrame, label_events: DataFrame, model: Model, as_of: datetime) -> DataFrame:
    """Join events of the model's spine with what labels said before ``as_of``.

    Args:
        events: of the spine's source; ids may repeat.
        label_events: ``known_at`` and the label's columns.

    Returns:
        One row per event, with ``fraud_known_at`` and ``known_label``: fraud; not fraud, where a row that nothing calls
        fraud is older than ``matures_after``; unknown, where it is younger; null where the spine leaves the event out.
    """
    spine, label = model.view.spine, model.label
    row = "_labelled_row"
    first = first_told(label_events, label, row=row, told_at=FRAUD_KNOWN_AT, as_of=as_of)
    is_mature = F.col(str(spine.as_of)) < F.lit(as_of - label.matures_after)
    told = F.when(F.col(FRAUD_KNOWN_AT).isNotNull(), FRAUD).when(is_mature, NOT_FRAUD).otherwise(UNKNOWN)
    is_described = F.expr(spine.where or "true")
    labelled = events.withColumn(row, F.col(spine.row).cast("string")).join(first, on=row, how="left")
    labelled = labelled.withColumn(KNOWN_LABEL, F.when(is_described, told)).drop(row)
    for name, comment in _COMMENTS.items():
        labelled = labelled.withMetadata(name, {"comment": comment})
    return labelled
