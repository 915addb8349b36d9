"""The logs that servers of the platform write about its own books, as they word them."""

from __future__ import annotations

from dataclasses import replace

from simulation.columns import Columns
from simulation.identifiers import iso_text
from simulation.ledger import SETTLEMENT
from simulation.words import Records, Words

_CHANGE_DIRT = (
    "exact_duplicate",
    "late_arrival",
    "very_late_arrival",
    "missing_key",
    "truncated_line",
    "out_of_order_change",
    "replayed_day",
)
# A refused or late entry would leave its transaction out of balance, which only ``ledger_imbalance`` may do.
_LEDGER_DIRT = ("exact_duplicate", "ledger_imbalance", "replayed_day")


def change_records(words: Words, rows: Columns) -> Records:
    """Return ``account_changes`` as the accounts' database writes it."""
    fields = {
        "op": rows["op"],
        "lsn": rows["lsn"],
        "updated_ts": iso_text(rows["ms"]),
        "account_id": words.id("acc", rows["account"]),
        "role": rows["role"],
        "country": words.country(rows["country"]),
        "email_domain": rows["email_domain"],
        "kyc_level": rows["kyc_level"],
        "status": rows["status"],
    }
    return replace(
        words.of_server("account_changes", "account_changed", rows, fields, "accounts-db"),
        dirt=_CHANGE_DIRT,
        next_ms=rows["next_ms"],
        tells_past=True,
    )


def ledger_records(words: Words, rows: Columns) -> Records:
    """Return ``ledger_entries`` as the ledger writes it; both entries of a transaction arrive at one moment."""
    is_debit = rows["side"] == "debit"
    account = words.id("acc", rows["account"]).astype(object)
    account[rows["account"] == SETTLEMENT] = "settlement"
    fields = {
        "entry_id": words.id("ent", rows["txn"] * 2 + is_debit),
        "txn_id": words.id("txn", rows["txn"]),
        "account_id": account,
        "side": rows["side"],
        "amount_minor": rows["minor"],
        "currency": rows["currency"],
        "booked_ts": iso_text(rows["ms"]),
        "kind": rows["kind"],
    }
    return replace(
        words.of_server("ledger_entries", "entry_booked", rows, fields, "ledger"),
        dirt=_LEDGER_DIRT,
        together=rows["txn"],
    )
