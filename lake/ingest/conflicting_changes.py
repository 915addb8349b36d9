"""Changes told twice in different words: which of them is true nobody can say, so none after the first counts."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.ingest.parse import REASON, earliest_first

CONFLICT = "conflicting_change"


def refuse_conflicting_changes(rows: DataFrame, before: DataFrame, contract: Contract) -> DataFrame:
    """Refuse changes that say otherwise than an event of the same key, or than the first known row among them.

    Args:
        rows: parsed rows.
        before: the events of other batches.

    Returns:
        The rows, some refused with the reason ``conflicting_change``; those that say the same again stay, to be counted
        as duplicates. Where the contract is of no change log, the rows as they are.
    """
    if not contract.changes:
        return rows
    said = F.struct("event_at", *contract.columns)
    # Refused rows may lack their keys; they are kept from meeting the others.
    among = Window.partitionBy(F.col(REASON).isNull(), *contract.key)
    said_first = F.first(said).over(among.orderBy(*earliest_first(contract)))
    there = before.select(*contract.key, said.alias("_there"))
    judged = rows.withColumn("_first", said_first).join(there, on=list(contract.key), how="left")
    differs = F.col(REASON).isNull() & ~said.eqNullSafe(F.coalesce("_there", "_first"))
    return judged.withColumn(REASON, F.when(differs, CONFLICT).otherwise(F.col(REASON))).select(*rows.columns)
