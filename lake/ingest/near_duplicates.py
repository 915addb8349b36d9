"""Near duplicates: one thing told twice under two keys, as by a client that tries again when no answer comes."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lake.contracts import REVISION, Contract
from lake.ingest.parse import REASON, earliest_first
from lake.ingest.revised import revision

NEAR_DUPLICATE = "near_duplicate"


def refuse_near_duplicates(rows: DataFrame, before: DataFrame, contract: Contract) -> DataFrame:
    """Refuse rows whose business key an event of another key has, or an earlier row among them.

    Args:
        rows: parsed rows.
        before: the events of other batches.

    Returns:
        The rows, some refused with the reason ``near_duplicate``: the row that was known first stays, and an event that
        is there already, whenever it was known. Where the contract has no business key, the rows as they are.
    """
    if not contract.business_key:
        return rows
    key = F.struct(*contract.key)
    # A revision repeats what it revises. Refused rows may lack their keys; neither meets the others.
    is_row = F.col(REASON).isNull() & revision(contract.revisions).isNull()
    among = Window.partitionBy(is_row, *contract.business_key)
    told_first = F.first(key).over(among.orderBy(*earliest_first(contract)))
    if contract.revisions:
        before = before.where(F.col(REVISION).isNull())
    there = before.groupBy(*contract.business_key).agg(F.min_by(key, "known_at").alias("_there"))
    judged = rows.withColumn("_first", told_first).join(there, on=list(contract.business_key), how="left")
    is_near = is_row & (key != F.coalesce("_there", "_first"))
    return judged.withColumn(REASON, F.when(is_near, NEAR_DUPLICATE).otherwise(F.col(REASON))).select(
        *rows.columns
    )
