"""Label time against feature time: labels are decided after their row's instant, rows used once they have matured."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.labels import Label, matures_after
from features.prove.report import EMBARGO, Finding, Made, Report, SourceEvent
from features.prove.sample import at_micros
from features.prove.target import Target
from features.source import Source
from features.view import AS_OF

# Rows named; one is enough to act on, and the others tell what kind it is.
NAMED = 3


def embargo(rows: DataFrame, row: str, target: Target) -> Report:
    """Find rows whose label was known at their instant or before it: they may show what they are to foretell.

    Args:
        rows: ``as_of`` and the row id in column ``row``. No rows give no finding.
    """
    described = _described(rows, row)
    count = described.count()
    if count == 0:
        return Report((Made(proof=EMBARGO, why_not="there are no rows"),))
    return Report((Made(proof=EMBARGO, rows=count),), tuple(_told_before(described, target)))


def training_embargo(rows: DataFrame, row: str, target: Target) -> Report:
    """The same of rows to train on, which must be so old that their labels have matured too."""
    return embargo(rows, row, target) + Report((), tuple(_immature(_described(rows, row), target)))


def _described(rows: DataFrame, row: str) -> DataFrame:
    return rows.select(F.col(row).cast("string").alias("id"), F.col(AS_OF).alias("as_of"))


def _told_before(described: DataFrame, target: Target) -> Iterator[Finding]:
    for label in target.labels:
        yield from _of_label(described, label, target.sources[label.source])


def _of_label(described: DataFrame, label: Label, events: Source) -> Iterator[Finding]:
    told = events.rows.select(
        F.col(label.on).cast("string").alias("id"),
        events.row_id.alias("event"),
        F.unix_micros("event_at").alias("at"),
        F.unix_micros("known_at").alias("known"),
    )
    early = described.join(told, on="id", how="inner").where(F.col("known") <= F.unix_micros("as_of"))
    found = early.select("id", F.unix_micros("as_of").alias("micros"), "event", "at", "known")
    for one in found.orderBy("id", "known").limit(NAMED).collect():
        event = SourceEvent(
            source=label.source,
            row_id=one["event"],
            event_at=at_micros(one["at"]),
            known_at=at_micros(one["known"]),
        )
        yield Finding(
            proof=EMBARGO,
            feature="the label",
            row_id=one["id"],
            as_of=at_micros(one["micros"]),
            event=event,
            expected="a label that is known after as_of",
            found="a label that was known by then",
            what="State in the contract of the labels when they are known, or leave such rows out of the spine",
        )


def _immature(described: DataFrame, target: Target) -> Iterator[Finding]:
    limit = target.matured_before
    used = f"those known before {target.known_before:%Y-%m-%d %H:%M:%S} are used"
    young = described.where(F.col("as_of") >= F.lit(limit)).select(
        "id", F.unix_micros("as_of").alias("micros")
    )
    for one in young.orderBy("micros", "id").limit(NAMED).collect():
        yield Finding(
            proof=EMBARGO,
            feature="the label",
            row_id=one["id"],
            as_of=at_micros(one["micros"]),
            event=None,
            expected=f"a row before {limit:%Y-%m-%d %H:%M:%S}",
            found="a row whose label has not matured",
            what=f"Labels mature in {matures_after(target.labels)}, and {used}: leave younger rows out",
        )
