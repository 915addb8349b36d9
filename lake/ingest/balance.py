"""Transactions of a ledger enter whole and balanced, or not at all.

Only whole transactions become events, so those that are there already balance, and what is new must balance by itself.
An entry whose counterpart has not come waits in quarantine; when the rest arrives, all of it is read once more.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType

from lake.contracts import Balance, Contract
from lake.ingest.near_duplicates import NEAR_DUPLICATE
from lake.ingest.parse import REASON, earliest_first

IMBALANCE = "ledger_imbalance"

_IS_THERE, _PLACE, _COUNTS, _IS_TOLD, _IS_ODD = "_is_there", "_place", "_counts", "_is_told", "_is_odd"


def refuse_imbalance(rows: DataFrame, before: DataFrame, contract: Contract) -> DataFrame:
    """Refuse every entry of transactions whose debits are not their credits, or that lack an entry refused before.

    Args:
        rows: parsed rows.
        before: the events of other batches; an entry that is among them is a duplicate and weighs nothing.

    Returns:
        The rows, some refused with the reason ``ledger_imbalance``, with every copy of them. Where the contract is of
        no ledger, the rows as they are.
    """
    balance = contract.balance
    if balance is None:
        return rows
    odd = _of_transactions(_entries(rows, before, contract), contract, balance)
    copies = Window.partitionBy(*contract.key)
    # A copy may name another transaction; it must not come in the place of the entry that is refused.
    of_key = F.max(F.col(_IS_ODD) & F.col(_COUNTS)).over(copies)
    is_refused = F.col(REASON).isNull() & ~F.col(_IS_THERE) & of_key
    return odd.withColumn(REASON, F.when(is_refused, IMBALANCE).otherwise(F.col(REASON))).select(
        *rows.columns
    )


def _entries(rows: DataFrame, before: DataFrame, contract: Contract) -> DataFrame:
    """Rows that know whether they are there already, count in their transaction, or have a copy that does."""
    keeps = F.col(REASON).isNull()
    there = before.select(*contract.key, F.lit(True).alias("_before"))
    found = rows.join(there, on=list(contract.key), how="left")
    copies = Window.partitionBy(*contract.key)
    place = F.row_number().over(copies.orderBy(F.col(REASON).isNotNull(), *earliest_first(contract)))
    placed = found.withColumns({_IS_THERE: F.col("_before").isNotNull(), _PLACE: place})
    counts = keeps & ~F.col(_IS_THERE) & (F.col(_PLACE) == 1)
    told = F.col(_IS_THERE) | F.max(keeps).over(copies)
    return placed.withColumns({_COUNTS: counts, _IS_TOLD: told})


def _of_transactions(entries: DataFrame, contract: Contract, balance: Balance) -> DataFrame:
    """Entries that know whether their transaction is out of balance, or lacks one that cannot be read."""
    transaction = Window.partitionBy(*balance.by)
    is_lost = F.col(REASON).isNotNull() & (F.col(REASON) != NEAR_DUPLICATE) & ~F.col(_IS_TOLD)
    total = F.sum(F.when(F.col(_COUNTS), _signed(contract, balance))).over(transaction)
    is_odd = F.coalesce(total != 0, F.lit(False)) | F.max(is_lost).over(transaction)
    return entries.withColumn(_IS_ODD, is_odd)


def _signed(contract: Contract, balance: Balance) -> Column:
    """What an entry adds to its transaction, credits below zero; wide enough that sums do not overflow."""
    found = contract.columns[balance.amount].spark_type
    wide = DecimalType(38, found.scale if isinstance(found, DecimalType) else 0)
    amount = F.col(balance.amount).cast(wide)
    return F.when(F.col(balance.side) == balance.debit, amount).otherwise(-amount)
