"""One row per approved payment: who pays whom, with what, from where, and what each of them did before."""

from __future__ import annotations

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    count,
    days,
    distinct,
    expression,
    hour_of_day,
    hours,
    hours_since_first,
    hours_since_last,
    largest,
    mean,
    total,
)

payer = Entity("payer", key="payer_id")
payee = Entity("payee", key="payee_id")
device = Entity("device", key="device_id")
instrument = Entity("instrument", key="instrument_id")

DECLINED = "auth_result = 'declined'"
BY_FRAUD = "reason_code = 'fraud'"

payer_payments = FeatureGroup(
    entity=payer,
    source="payments",
    windows=[hours(1), days(1), days(7), days(30), LIFETIME],
    measures=[
        count("payment_count"),
        count("declined_count", where=DECLINED),
        total("amount_usd", name="payment_usd_sum"),
        mean("amount_usd", name="payment_usd_mean"),
        largest("amount_usd", name="payment_usd_max"),
        distinct("instrument_id", name="instrument_count"),
        distinct("payee_id", name="payee_count"),
    ],
)
payer_age = FeatureGroup(
    entity=payer,
    source="accounts",
    source_key="account_id",
    windows=[LIFETIME],
    measures=[hours_since_first("hours_since_signup")],
)
payer_logins = FeatureGroup(
    entity=payer,
    source="logins",
    source_key="account_id",
    windows=[days(1), days(7), days(30)],
    measures=[
        count("login_count"),
        count("failed_login_count", where="kind IN ('login_fail', 'mfa_fail')"),
        count("credential_change_count", where="kind IN ('pwd_reset', 'email_change')"),
        distinct("device_id", name="login_device_count"),
        distinct("ip_country", name="login_country_count"),
    ],
)
payer_disputes = FeatureGroup(
    entity=payer, source="disputes", windows=[LIFETIME], measures=[count("dispute_count")]
)
payee_payments = FeatureGroup(
    entity=payee,
    source="payments",
    windows=[days(1), days(7), days(30)],
    measures=[
        count("received_count"),
        total("amount_usd", name="received_usd_sum"),
        distinct("payer_id", name="payer_count"),
        count("declined_count", where=DECLINED),
    ],
)
payee_age = FeatureGroup(
    entity=payee,
    source="accounts",
    source_key="account_id",
    windows=[LIFETIME],
    measures=[hours_since_first("hours_since_signup")],
)
payee_payouts = FeatureGroup(
    entity=payee,
    source="payouts",
    source_key="account_id",
    windows=[days(1), days(30)],
    measures=[
        count("payout_count"),
        total("amount_usd", name="payout_usd_sum"),
        distinct("payout_method_id", name="payout_method_count"),
    ],
)
payee_disputes = FeatureGroup(
    entity=payee,
    source="disputes",
    windows=[days(30), LIFETIME],
    measures=[count("dispute_count"), count("fraud_dispute_count", where=BY_FRAUD)],
)
device_payments = FeatureGroup(
    entity=device,
    source="payments",
    windows=[hours(1), days(1), days(30)],
    measures=[
        count("payment_count"),
        count("declined_count", where=DECLINED),
        distinct("payer_id", name="payer_count"),
        distinct("instrument_id", name="instrument_count"),
    ],
)
device_logins = FeatureGroup(
    entity=device,
    source="logins",
    windows=[days(30), LIFETIME],
    measures=[
        count("login_count"),
        distinct("account_id", name="account_count"),
        hours_since_first("hours_since_first_login"),
    ],
)
device_disputes = FeatureGroup(
    entity=device,
    source="disputes",
    windows=[LIFETIME],
    measures=[count("fraud_dispute_count", where=BY_FRAUD)],
)
instrument_payments = FeatureGroup(
    entity=instrument,
    source="payments",
    windows=[hours(1), days(1), days(30), LIFETIME],
    measures=[
        count("payment_count"),
        count("declined_count", where=DECLINED),
        distinct("payer_id", name="payer_count"),
        hours_since_last("hours_since_last"),
    ],
)

payments_view = FeatureView(
    name="payments",
    spine=Spine(
        source="payments",
        row="payment_id",
        where="auth_result = 'approved'",
        columns=[
            "amount_usd",
            hour_of_day("event_at"),
            expression("is_prepaid", "funding = 'prepaid'"),
            expression("is_credit", "funding = 'credit'"),
            expression("is_foreign_card", "card_country <> ip_country"),
            expression("is_avs_mismatch", "avs = 'mismatch'"),
            expression("is_cvc_mismatch", "cvc = 'mismatch'"),
            expression("has_three_ds", "three_ds"),
            expression("is_round_amount", "amount_usd % 50 = 0"),
            expression("has_device", "device_id IS NOT NULL"),
        ],
        context=["currency"],
    ),
    groups=[
        payer_payments,
        payer_age,
        payer_logins,
        payer_disputes,
        payee_payments,
        payee_age,
        payee_payouts,
        payee_disputes,
        device_payments,
        device_logins,
        device_disputes,
        instrument_payments,
    ],
    derived=[expression("amount_to_payer_mean_30d", "amount_usd / payer_payment_usd_mean_30d")],
)
