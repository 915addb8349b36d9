"""The logs as the producers word them: one record per event, before the collector and before any dirt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation.columns import Columns
from simulation.identifiers import ip_text, iso_text
from simulation.identity_records import (
    device_records,
    enforcement_records,
    instrument_records,
    kyc_records,
    method_records,
    organisation_records,
    profile_records,
)
from simulation.member_records import (
    message_records,
    post_records,
    proposal_records,
    report_records,
    review_records,
    time_records,
    view_records,
)
from simulation.reference_records import domain_records, holiday_records, issuer_records, rate_records
from simulation.server_records import (
    change_records,
    credit_records,
    escrow_records,
    ledger_records,
    terms_records,
)
from simulation.settings import SimulationSettings
from simulation.streams import mixed
from simulation.words import Records, Words
from simulation.world import World


def records(settings: SimulationSettings, world: World) -> list[Records]:
    """Return the logs of a world."""
    words = Words(settings.seed)
    return [
        _accounts(words, world.accounts),
        _logins(words, world.logins),
        _payments(words, world.payments),
        _payouts(words, world.payouts),
        _disputes(words, world.disputes),
        change_records(words, world.account_changes),
        ledger_records(words, world.ledger_entries),
        post_records(words, world.job_posts),
        proposal_records(words, world.proposals),
        message_records(words, world.messages),
        report_records(words, world.user_reports),
        terms_records(words, world.contract_changes),
        escrow_records(words, world.escrow_events),
        review_records(words, world.reviews),
        time_records(words, world.time_logs),
        instrument_records(words, world.instrument_changes),
        method_records(words, world.payout_method_changes),
        profile_records(words, world.profile_changes),
        organisation_records(words, world.organisation_changes),
        kyc_records(words, world.kyc_checks),
        enforcement_records(words, world.enforcement_actions),
        device_records(words, world.devices),
        credit_records(words, world.credit_movements),
        rate_records(words, world.exchange_rates),
        issuer_records(words, world.card_issuers),
        domain_records(words, world.throw_away_domains),
        holiday_records(words, world.holidays),
        view_records(words, world.job_views),
    ]


def _accounts(words: Words, rows: Columns) -> Records:
    fields = {
        "account_id": words.id("acc", rows["account"]),
        "role": rows["role"],
        "country": words.country(rows["country"]),
        "signup_device_id": words.id("dev", rows["signup_device"]),
        "signup_ip": ip_text(rows["signup_ip"]),
        "email_domain": rows["email_domain"],
        "phone_country": words.country(rows["phone_country"]),
        "channel": rows["channel"],
    }
    return Records(
        log="accounts",
        event_type="account_signed_up",
        event_ms=rows["signup_ms"],
        producer=words.app(rows["signup_device"]),
        fields=fields,
        device_field="signup_device_id",
        from_server=True,
        tells_past=True,
        ip_field="signup_ip",
    )


def _logins(words: Words, rows: Columns) -> Records:
    account, hour = rows["account"], rows["ms"] // 3_600_000
    fields = {
        "account_id": words.id("acc", account),
        "kind": rows["kind"],
        **words.place(rows),
        "ip_type": rows["ip_type"],
        "session_id": words.id("ses", mixed(account, "session") + hour),
    }
    return replace(words.of_apps("logins", "login_attempted", rows, fields), member_field="account_id")


def _payments(words: Words, rows: Columns) -> Records:
    code = rows["decline_code"].astype(object)
    code[rows["approved"]] = None
    fields = {
        "payment_id": words.id("pay", rows["payment"]),
        "payer_id": words.id("acc", rows["payer"]),
        "payee_id": words.id("acc", rows["payee"]),
        "contract_id": words.id("con", rows["contract"]),
        "instrument_id": words.id("ins", rows["instrument"]),
        "card_country": words.country(rows["card_country"]),
        "funding": rows["funding"],
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        **words.place(rows),
        "auth_result": np.where(rows["approved"], "approved", "declined"),
        "decline_code": code,
        "avs": rows["avs"],
        "cvc": rows["cvc"],
        "three_ds": rows["three_ds"],
    }
    return replace(
        words.of_apps("payments", "payment_attempted", rows, fields),
        is_retried=True,
        member_field="payee_id",
        is_taken_over=rows["typology"] == "T3",
    )


def _payouts(words: Words, rows: Columns) -> Records:
    fields = {
        "payout_id": words.id("out", mixed(rows["account"], "payout") + rows["ms"]),
        "account_id": words.id("acc", rows["account"]),
        "payout_method_id": words.id("pom", rows["method"]),
        "method_kind": rows["method_kind"],
        "method_added_ts": iso_text(rows["method_added_ms"]),
        **words.money(rows["minor"], rows["currency"], rows["ms"]),
        "device_id": words.id("dev", rows["device"]),
        "ip_country": words.country(rows["ip_country"]),
    }
    return replace(
        words.of_apps("payouts", "payout_requested", rows, fields), is_retried=True, member_field="account_id"
    )


def _disputes(words: Words, rows: Columns) -> Records:
    is_claim = rows["kind"] == "refund_claim"
    fields = {
        "case_id": words.id("cas", rows["payment"] * 4 + np.where(rows["kind"] == "efw", 1, 2)),
        "payment_id": words.id("pay", rows["payment"]),
        "payer_id": words.id("acc", rows["payer"]),
        "payee_id": words.id("acc", rows["payee"]),
        "instrument_id": words.id("ins", rows["instrument"]),
        "device_id": words.id("dev", rows["device"]),
        "kind": rows["kind"],
        "reason_code": rows["reason_code"],
        "amount_usd": words.money(rows["minor"], rows["currency"], rows["paid_ms"])["amount_usd"],
        "opened_ts": iso_text(rows["ms"]),
    }
    return Records(
        log="disputes",
        event_type="dispute_opened",
        event_ms=rows["ms"],
        producer=np.where(is_claim, "support-desk", "card-processor"),
        fields=fields,
        device_field=None,
        from_server=True,
    )
