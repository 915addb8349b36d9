"""The logs that servers of the platform write about its own books, as they word them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation.columns import Columns
from simulation.escrow import PLATFORM
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
HOLDING_DIRT = tuple(kind for kind in _CHANGE_DIRT if kind != "out_of_order_change")
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


def terms_records(words: Words, rows: Columns) -> Records:
    """Return ``contract_changes`` as the contracts' database writes it."""
    ended = iso_text(np.maximum(rows["ended_ms"], 0)).astype(object)
    ended[rows["ended_ms"] < 0] = None
    fields = {
        "op": rows["op"],
        "lsn": rows["lsn"],
        "updated_ts": iso_text(rows["ms"]),
        "contract_id": words.id("con", rows["contract"]),
        "job_id": words.id_or_none("job", rows["post"]),
        "client_id": words.id("acc", rows["client"]),
        "freelancer_id": words.id("acc", rows["freelancer"]),
        "kind": rows["kind"],
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        "status": rows["status"],
        "started_ts": iso_text(rows["start_ms"]),
        "ended_ts": ended,
        "end_reason": rows["end_reason"],
    }
    return replace(
        words.of_server("contract_changes", "contract_changed", rows, fields, "contracts-db"),
        dirt=HOLDING_DIRT,
        tells_past=True,
    )


def escrow_records(words: Words, rows: Columns) -> Records:
    """Return ``escrow_events`` as the escrow service writes it."""
    actor = words.id("acc", np.maximum(rows["actor"], 0)).astype(object)
    actor[rows["actor"] == PLATFORM] = None
    fields = {
        "escrow_id": words.id("esc", rows["payment"]),
        "payment_id": words.id("pay", rows["payment"]),
        "contract_id": words.id("con", rows["contract"]),
        "kind": rows["kind"],
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        "actor_id": actor,
    }
    return words.of_server("escrow_events", "escrow_moved", rows, fields, "escrow")


def credit_records(words: Words, rows: Columns) -> Records:
    """Return ``credit_movements`` as the service that keeps credits writes it."""
    fields = {
        "movement_id": words.id("crd", rows["movement"]),
        "account_id": words.id("acc", rows["account"]),
        "kind": rows["kind"],
        "credits": rows["credits"],
        "invited_id": words.id_or_none("acc", rows["invited"]),
        "proposal_id": words.id_or_none("pro", rows["proposal"]),
    }
    return replace(
        words.of_server("credit_movements", "credits_moved", rows, fields, "credits"),
        member_field="account_id",
        tells_past=True,
    )
