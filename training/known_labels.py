"""What labels say of a log's events by an instant: fraud, not fraud, or not known yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.declare import Calendar
from features.label_events import ROW, label_events
from features.source import Source
from features.verdicts import LABELS, fraud_since, labels_of_rows, state, verdict
from training.model import Model

KNOWN_LABEL, LABEL_STATE, FRAUD_KNOWN_AT = "known_label", "label_state", "fraud_known_at"
UNKNOWN = "unknown"
_COMMENTS = {
    FRAUD_KNOWN_AT: "When the first label that stands said fraud (UTC); null where none does",
    KNOWN_LABEL: "fraud, not fraud, unknown where it is not known, null where no model describes the row",
    LABEL_STATE: "matured, overturned, open where a label may still come, censored, contradicted; or null",
}


def can_label_events(model: Model) -> bool:
    """Whether the model's rows are events of a log, and not instants of a calendar."""
    return not isinstance(model.view.spine.as_of, Calendar)


def with_known_labels(
    events: DataFrame, sources: Mapping[str, Source], model: Model, as_of: datetime
) -> DataFrame:
    """Join events of the model's spine with what labels said before ``as_of``.

    Args:
        events: of the spine's source; ids may repeat.
        sources: the logs of the model's labels, by name.

    Returns:
        One row per event, with ``fraud_known_at``, ``known_label`` and ``label_state``; the last two are null where the
        spine leaves the event out.
    """
    spine, before = model.view.spine, F.lit(as_of)
    told = labels_of_rows(label_events(model.labels, sources), as_of).withColumnsRenamed(
        {ROW: "_row", LABELS: "_told"}
    )
    labelled = events.withColumn("_row", F.col(spine.row).cast("string")).join(told, on="_row", how="left")
    described, labels = F.expr(spine.where or "true"), F.col("_told")
    arguments = labels, F.col(str(spine.as_of)), model.labels, before
    known = F.coalesce(verdict(*arguments), F.lit(UNKNOWN))
    labelled = labelled.withColumns(
        {
            FRAUD_KNOWN_AT: fraud_since(labels, model.labels, before),
            KNOWN_LABEL: F.when(described, known),
            LABEL_STATE: F.when(described, state(*arguments)),
        }
    ).drop("_row", "_told")
    for name, comment in _COMMENTS.items():
        labelled = labelled.withMetadata(name, {"comment": comment})
    return labelled
