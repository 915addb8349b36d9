"""The profile of one log: two passes over its rows, the first for what the second counts by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.labels import Verdict
from features.source import Source
from training.known_labels import FRAUD_KNOWN_AT, KNOWN_LABEL, LABEL_STATE, with_known_labels
from training.model import Model
from training.profile.columns import ColumnFigures, column_figures
from training.profile.counts import IS_FRAUD, IS_SETTLED, Counts, counts

KNOWN_AFTER = "known_after_seconds"


@dataclass(frozen=True, slots=True)
class Labelling:
    """Whose labels are used, from which logs, and those known before an instant (UTC)."""

    model: Model
    sources: Mapping[str, Source]
    known_before: datetime

    @property
    def settled_before(self) -> datetime:
        """A row before this instant is settled: its label has matured."""
        return self.known_before - self.model.matures_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a log holds.

    Attributes:
        about: what one row is.
        read: the tables that were read, with their versions.
        span: which events, in words.
        labels: what settled and fraud mean, in words; empty where no model has labels of the log.
    """

    log: str
    about: str
    read: Mapping[str, int]
    span: str
    rows: int
    columns: Sequence[ColumnFigures]
    counts: Counts
    labels: str


def figures_and_counts(
    events: DataFrame, labelling: Labelling | None
) -> tuple[int, list[ColumnFigures], Counts]:
    """Measure events: ``event_at``, ``known_at`` and columns.

    Returns:
        How many rows there are, the figures of each column and of ``known_after_seconds``, and what was counted. A row
        is settled where its label is known and has matured; without labelling none is.
    """
    waited = F.unix_seconds("known_at") - F.unix_seconds("event_at")
    comment = {"comment": "From when it happened to when it was known [s]"}
    measured = events.withColumn(KNOWN_AFTER, waited).withMetadata(KNOWN_AFTER, comment)
    rows, columns = column_figures(measured)
    if labelling is None:
        settled = measured.withColumns({IS_SETTLED: F.lit(False), IS_FRAUD: F.lit(False)})
    else:
        model = labelling.model
        labelled = with_known_labels(measured, labelling.sources, model, labelling.known_before)
        is_old = F.col(str(model.view.spine.as_of)) < F.lit(labelling.settled_before)
        settled = labelled.withColumns(
            {
                IS_SETTLED: F.coalesce(F.col(KNOWN_LABEL).isNotNull() & is_old, F.lit(False)),
                IS_FRAUD: F.coalesce(F.col(KNOWN_LABEL) == str(Verdict.FRAUD), F.lit(False)),
            }
        ).drop(KNOWN_LABEL, LABEL_STATE, FRAUD_KNOWN_AT)
    return rows, columns, counts(settled, columns, day_of="event_at")
