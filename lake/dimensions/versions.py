"""From the events of a change log to its versions: how each thing stood, and from when to when.

One row per change that is no deletion. The view is that of the latest knowledge: a change that arrives late is put in
its place, and moves the end of the version before it. What was known at an instant is the same transform over the
events known before it, and features look changes up in the events.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lake.contracts import VALID_FROM, VALID_TO, Changes, Contract


def versions(events: DataFrame, contract: Contract, changes: Changes) -> DataFrame:
    """The versions of the things that the events describe.

    Args:
        events: rows of the event table; for each thing, all of its changes that count.

    Returns:
        One row per insert or update, in no order: the contract's columns less the operation, ``valid_from``,
        ``valid_to`` (outside; null for how the thing stands now) and ``known_at``, when the change was known.
        Changes follow each other by ``changes.order``. A version begins with its change, but not before any version
        under a lower number: where the producer's clock went back it is the greatest ``event_at`` so far, and a version
        that was replaced in that instant ends as it begins. A deletion ends a version; an insert or update after it
        begins the next one. Inserts of what is there count as updates, updates of what is not as inserts.
    """
    in_order = Window.partitionBy(*changes.key).orderBy(changes.order)
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    began = events.withColumn(VALID_FROM, F.max("event_at").over(so_far))
    ended = began.withColumn(VALID_TO, F.lead(VALID_FROM).over(in_order))
    names = [name for name in contract.columns if name != changes.op]
    return ended.where(F.col(changes.op) != changes.deleted).select(*names, VALID_FROM, VALID_TO, "known_at")
