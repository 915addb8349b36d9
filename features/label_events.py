"""Events of label logs in one shape: what is said of which row, since when, and until when it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from features.labels import Label
from features.source import Source
from lake.contracts import RETRACTION, REVISION

LABEL_ID, ROW, SOURCE, VERDICT = "label_id", "row", "source", "verdict"
EVENT_AT, KNOWN_AT, WITHDRAWN_AT = "event_at", "known_at", "withdrawn_at"
TYPOLOGY, CONFIDENCE = "typology", "confidence"
COLUMNS = (LABEL_ID, ROW, SOURCE, EVENT_AT, KNOWN_AT, WITHDRAWN_AT, VERDICT, TYPOLOGY, CONFIDENCE)
# Names of the logs' own columns must not be taken before their SQL is read.
_UNTIL, _SUPERSEDED_AT, _REPLACES = "_until", "_superseded_at", "_replaces_"


def label_events(labels: Sequence[Label], sources: Mapping[str, Source]) -> DataFrame:
    """What the sources of some labels say.

    Args:
        sources: label logs by name: their id, ``event_at``, ``known_at`` and the columns the labels name.

    Returns:
        ``COLUMNS``, one row per event that ever said something, and one per correction of it. It stands from after
        ``known_at`` until ``withdrawn_at``, which is null where nothing took its place. Ids are text. Events that name
        no row are left out. No events give no rows.
    """
    told = {label.source: _told(label, sources[label.source]) for label in labels}
    events = reduce(DataFrame.unionByName, (rows.select(*COLUMNS) for rows in told.values()))
    replaced = [
        told[label.source].select(
            F.lit(source).alias(SOURCE),
            F.col(_REPLACES + source).alias(LABEL_ID),
            ROW,
            F.col(KNOWN_AT).alias(_SUPERSEDED_AT),
        )
        for label in labels
        for source in label.supersedes
    ]
    if not replaced:
        return events
    keys = [SOURCE, LABEL_ID, ROW]
    first = (
        reduce(DataFrame.unionByName, replaced)
        .groupBy(*keys)
        .agg(F.min(_SUPERSEDED_AT).alias(_SUPERSEDED_AT))
    )
    until = F.least(WITHDRAWN_AT, _SUPERSEDED_AT)
    return _that_stood(events.join(first, on=keys, how="left").withColumn(WITHDRAWN_AT, until)).select(
        *COLUMNS
    )


def _told(label: Label, source: Source) -> DataFrame:
    """The log's events that say something, with the columns of the log beside those of a label event."""
    rows = _in_effect(source) if source.is_revised else source.rows.withColumn(_UNTIL, _never())
    verdicts = [F.when(F.expr(sql), F.lit(str(verdict))) for verdict, sql in label.conditions.items()]
    replaced = {_REPLACES + of: F.col(column).cast("string") for of, column in label.supersedes.items()}
    return rows.withColumns(
        replaced
        | {
            LABEL_ID: source.row_id,
            ROW: F.col(label.on).cast("string"),
            SOURCE: F.lit(label.source),
            WITHDRAWN_AT: F.col(_UNTIL),
            VERDICT: F.coalesce(*verdicts),
            TYPOLOGY: _of(label.typology, F.lit(None)).cast("string"),
            CONFIDENCE: F.coalesce(_of(label.confidence, F.lit(None)).cast("double"), F.lit(1.0)),
        }
    ).where(F.col(VERDICT).isNotNull() & F.col(ROW).isNotNull())


def _in_effect(source: Source) -> DataFrame:
    """Rows and corrections with the instants between which each is in effect, by the rule of ``windows.revisions``."""
    is_revision, is_retraction = (
        F.col(REVISION).isNotNull(),
        F.coalesce(F.col(REVISION) == RETRACTION, F.lit(False)),
    )
    values = F.to_json(F.struct(*(name for name in source.rows.columns if name not in {EVENT_AT, KNOWN_AT})))
    of_row = Window.partitionBy(*source.key)
    in_order = of_row.orderBy(is_revision, source.told_at, is_retraction, EVENT_AT, values)
    arrived = F.min(F.when(~is_revision, F.col(KNOWN_AT))).over(of_row)
    # Without the row itself its revisions wait for ever.
    waited = source.rows.withColumn("_arrived", arrived).withColumn(
        "_since", F.greatest(KNOWN_AT, "_arrived")
    )
    spans = waited.withColumn(_UNTIL, F.lead("_since").over(in_order)).withColumn("_goes", is_retraction)
    told = spans.where(F.col("_arrived").isNotNull() & ~F.col("_goes")).withColumn(KNOWN_AT, F.col("_since"))
    return _that_stood(told, _UNTIL)


def _that_stood(rows: DataFrame, until: str = WITHDRAWN_AT) -> DataFrame:
    """The rows whose place was not taken before they were known."""
    return rows.where(F.col(until).isNull() | (F.col(until) > F.col(KNOWN_AT)))


def _of(sql: str | None, otherwise: Column) -> Column:
    return otherwise if sql is None else F.expr(sql)


def _never() -> Column:
    return F.lit(None).cast("timestamp")
