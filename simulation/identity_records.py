"""The logs of who people are and what they hold, as servers of the platform word them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation.columns import Columns
from simulation.identifiers import iso_text
from simulation.server_records import HOLDING_DIRT
from simulation.streams import mixed
from simulation.words import Records, Words


def instrument_records(words: Words, rows: Columns) -> Records:
    """Return ``instrument_changes``."""
    fields = {
        **_change(rows),
        "instrument_id": words.id("ins", rows["instrument"]),
        "account_id": words.id("acc", rows["account"]),
        "funding": rows["funding"],
        "card_country": words.country(rows["card_country"]),
        "bin": rows["bin"].astype(str),
    }
    return _database(words, "instrument_changes", "instrument_changed", rows, fields, "wallet-db")


def method_records(words: Words, rows: Columns) -> Records:
    """Return ``payout_method_changes``."""
    fields = {
        **_change(rows),
        "payout_method_id": words.id("pom", rows["method"]),
        "account_id": words.id("acc", rows["account"]),
        "kind": rows["kind"],
        "bank_country": words.country(rows["bank_country"]),
        "holder_name_hash": words.id("nam", rows["holder"]),
    }
    return _database(words, "payout_method_changes", "payout_method_changed", rows, fields, "wallet-db")


def profile_records(words: Words, rows: Columns) -> Records:
    """Return ``profile_changes``."""
    fields = {
        **_change(rows),
        "account_id": words.id("acc", rows["account"]),
        "headline": rows["headline"],
        "overview": rows["overview"],
        "skills": rows["skills"],
        "hourly_rate": np.array([f"{c // 100}.{c % 100:02d}" for c in rows["rate_cents"].tolist()]),
        "photo_hash": words.id("pho", rows["photo"]),
        "portfolio_hash": words.id("wrk", rows["works"]),
        "portfolio_items": rows["items"],
        "display_name_hash": words.id("nam", rows["name"]),
        "verified_badge": rows["is_verified"],
    }
    return _database(words, "profile_changes", "profile_changed", rows, fields, "profiles-db")


def organisation_records(words: Words, rows: Columns) -> Records:
    """Return ``organisation_changes``."""
    fields = {
        **_change(rows),
        "organisation_id": words.id("org", rows["organisation"]),
        "account_id": words.id("acc", rows["account"]),
        "member_role": rows["member_role"],
        "name_hash": words.id("nam", rows["name"]),
        "domain": rows["domain"],
        "country": words.country(rows["country"]),
        "tax_number_hash": words.id_or_none("tax", rows["tax_number"]),
    }
    return _database(words, "organisation_changes", "organisation_changed", rows, fields, "accounts-db")


def _change(rows: Columns) -> Columns:
    return {"op": rows["op"], "lsn": rows["lsn"], "updated_ts": iso_text(rows["ms"])}


def _database(
    words: Words, log: str, event_type: str, rows: Columns, fields: Columns, producer: str
) -> Records:
    changes = words.of_server(log, event_type, rows, fields, producer)
    return replace(changes, dirt=HOLDING_DIRT, tells_past=True)


def kyc_records(words: Words, rows: Columns) -> Records:
    """Return ``kyc_checks``; a search in lists of sanctions sees neither document nor face."""
    reason = rows["reason"].astype(object)
    reason[rows["outcome"] == "pass"] = None
    is_document = rows["kind"] == "document"
    document, country = words.id("doc", rows["person"]).astype(object), words.country(rows["doc_country"])
    face, country = words.id("fac", rows["person"]).astype(object), country.astype(object)
    document[~is_document], country[~is_document] = None, None
    face[rows["kind"] == "sanctions"] = None
    kinds = np.unique(rows["kind"], return_inverse=True)[1].reshape(-1)
    fields = {
        "check_id": words.id("kyc", mixed(rows["account"] * 4 + kinds, "kyc") + rows["ms"]),
        "account_id": words.id("acc", rows["account"]),
        "kind": rows["kind"],
        "outcome": rows["outcome"],
        "reason": reason,
        "doc_country": country,
        "doc_hash": document,
        "face_id": face,
    }
    return replace(
        words.of_server("kyc_checks", "identity_checked", rows, fields, "kyc-provider"),
        member_field="account_id",
        tells_past=True,
    )


def enforcement_records(words: Words, rows: Columns) -> Records:
    """Return ``enforcement_actions``."""
    fields = {
        "action_id": words.id("act", mixed(rows["account"], "action") + rows["ms"]),
        "account_id": words.id("acc", rows["account"]),
        "action": rows["action"],
        "ground": rows["ground"],
        "source": rows["source"],
    }
    return replace(
        words.of_server("enforcement_actions", "enforcement_taken", rows, fields, "case-desk"),
        member_field="account_id",
    )


def device_records(words: Words, rows: Columns) -> Records:
    """Return ``devices``; what the device's app says of its system goes before what a browser would."""
    app = words.app(rows["device"])
    is_web, is_apple = app == "web", np.char.startswith(app, "ios")
    on_phone = np.where(is_apple, "ios", "android")
    fields = {
        "device_id": words.id("dev", rows["device"]),
        "system": np.where(is_web, rows["system"], on_phone),
        "browser": np.where(is_web, rows["browser"], "app"),
        "screen": np.where(is_web, rows["screen"], rows["phone_screen"]),
        "utc_offset_minutes": rows["offset_minutes"],
        "canvas_hash": words.id("can", rows["canvas"]),
        "emulator": rows["emulator"],
        "remote_desktop": rows["remote_desktop"],
    }
    return replace(
        words.of_server("devices", "device_first_seen", rows, fields, "device-intelligence"), tells_past=True
    )
