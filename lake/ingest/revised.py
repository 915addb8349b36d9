"""Rows that take back or correct other rows of their log."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.contracts import CORRECTION, RETRACTION, REVISION, Contract, Revisions
from lake.ingest.parse import REASON

_MEANT = "_meant"


def revision(revisions: Revisions | None) -> Column:
    """What a parsed row is to the rows of its log: null for a row itself."""
    if revisions is None:
        return F.lit(None).cast("string")
    said = F.col(revisions.column)
    return F.when(said.isin(*revisions.retraction), RETRACTION).when(
        said.isin(*revisions.correction), CORRECTION
    )


def complete_retractions(rows: DataFrame, before: DataFrame, contract: Contract) -> DataFrame:
    """Give retractions the time and the values of the row that they take back.

    Args:
        rows: parsed rows.
        before: the events of other batches.

    Returns:
        The rows. A retraction that was refused for what it lacked is kept where the row it means is there; of rows of
        one id the one that was known first is meant. Where none is there, a retraction stays as it came.
    """
    if contract.revisions is None:
        return rows
    of = list(contract.revisions.of)
    is_retraction = F.coalesce(revision(contract.revisions) == RETRACTION, F.lit(False))
    lent = [name for name in contract.columns if name not in {*contract.key, *of, contract.revisions.column}]
    ids = rows.where(is_retraction).select(*of).distinct()
    themselves = rows.where(F.col(REASON).isNull() & revision(contract.revisions).isNull())
    there = themselves.select(*of, "known_at", "event_at", *lent).unionByName(
        before.where(F.col(REVISION).isNull()).select(*of, "known_at", "event_at", *lent)
    )
    values = "event_at", *lent
    # What two rows known at once are told apart by does not depend on files or partitions.
    first = F.min_by(F.struct(*values), F.struct("known_at", F.xxhash64(*values)))
    meant = there.join(ids, on=of, how="left_semi").groupBy(*of).agg(first.alias(_MEANT))
    is_known = is_retraction & F.col(_MEANT).isNotNull()
    lacks = F.col(REASON).isin([f"{name}_missing" for name in lent])
    copied = {
        name: F.when(is_known, F.coalesce(f"{_MEANT}.{name}", name)).otherwise(F.col(name)) for name in values
    }
    reason = F.when(~(is_known & F.coalesce(lacks, F.lit(False))), F.col(REASON))
    joined = rows.join(meant, on=of, how="left")
    return joined.withColumns({**copied, REASON: reason}).select(*rows.columns)
