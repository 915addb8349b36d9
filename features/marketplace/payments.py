"""One row per approved payment: who pays whom, with what, from where, and what each of them did before."""

from __future__ import annotations

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Link,
    Lookup,
    Spine,
    count,
    days,
    distinct,
    expression,
    hour_of_day,
    hours,
    hours_since_first,
    hours_since_last,
    is_new,
    largest,
    mean,
    ratio,
    total,
)

payer = Entity("payer", key="payer_id")
payee = Entity("payee", key="payee_id")
device = Entity("device", key="device_id")
instrument = Entity("instrument", key="instrument_id")
pair = Entity("payer_payee", key=("payer_id", "payee_id"))

DECLINED = "auth_result = 'declined'"
BY_FRAUD = "reason_code = 'fraud'"
RESTRICTED = "action = 'restrict'"
PAYMENTS_RISK, ACCOUNT_SECURITY = "payments risk", "account security"

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
    owner=PAYMENTS_RISK,
    description="How much and how fast the payer pays, with how many cards, to how many payees.",
    tags=["velocity", "amounts"],
)
payer_age = FeatureGroup(
    entity=payer,
    source="accounts",
    source_key="account_id",
    windows=[LIFETIME],
    measures=[hours_since_first("hours_since_signup")],
    owner=ACCOUNT_SECURITY,
    description="How new the payer's account is.",
    tags=["account age"],
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
    owner=ACCOUNT_SECURITY,
    description="Failed logins, changed credentials, new devices: what comes before a takeover.",
    tags=["takeover", "logins"],
)
payer_disputes = FeatureGroup(
    entity=payer,
    source="disputes",
    windows=[LIFETIME],
    measures=[count("dispute_count")],
    owner=PAYMENTS_RISK,
    description="What the payer paid and disputed before.",
    tags=["disputes"],
)
payer_hires = FeatureGroup(
    entity=payer,
    source="contract_changes",
    source_key="client_id",
    windows=[days(1), days(30)],
    where="op = 'I'",
    measures=[count("hire_count"), distinct("freelancer_id", name="hired_count")],
    owner=PAYMENTS_RISK,
    description="How fast the payer hires, and how many: who hires himself does so again and again.",
    tags=["contracts", "collusion"],
)
payer_instruments = FeatureGroup(
    entity=payer,
    source="instrument_changes",
    source_key="account_id",
    windows=[days(1), days(30)],
    where="op = 'I'",
    measures=[count("instrument_added_count"), distinct("bin", name="issuer_count")],
    owner=PAYMENTS_RISK,
    description="How many cards the payer added lately: some are added only to be tried.",
    tags=["card testing", "cards"],
)
payer_checks = FeatureGroup(
    entity=payer,
    source="kyc_checks",
    source_key="account_id",
    windows=[LIFETIME],
    measures=[count("check_count"), count("failed_check_count", where="outcome = 'fail'")],
    owner=ACCOUNT_SECURITY,
    description="Whether somebody looked at the payer's papers, and what was wrong with them.",
    tags=["identity"],
)
payer_restrictions = FeatureGroup(
    entity=payer,
    source="enforcement_actions",
    source_key="account_id",
    windows=[LIFETIME],
    measures=[count("restricted_count", where=RESTRICTED)],
    owner=ACCOUNT_SECURITY,
    description="Whether the payer was restricted before.",
    tags=["enforcement"],
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
    owner=PAYMENTS_RISK,
    description="How much the payee is paid, and by how many: accomplices collect.",
    tags=["velocity", "collusion"],
)
payee_age = FeatureGroup(
    entity=payee,
    source="accounts",
    source_key="account_id",
    windows=[LIFETIME],
    measures=[hours_since_first("hours_since_signup")],
    owner=ACCOUNT_SECURITY,
    description="How new the payee's account is.",
    tags=["account age"],
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
    owner=PAYMENTS_RISK,
    description="How fast the payee takes money out, and to how many places.",
    tags=["cash-out", "payouts"],
)
payee_payout_methods = FeatureGroup(
    entity=payee,
    source="payout_method_changes",
    source_key="account_id",
    windows=[days(7), LIFETIME],
    where="op = 'I'",
    measures=[
        count("payout_method_added_count"),
        distinct("holder_name_hash", name="payout_name_count"),
        hours_since_last("hours_since_payout_method_added"),
    ],
    owner=PAYMENTS_RISK,
    description="A new place for the money, perhaps in another name: accounts that were sold or taken over.",
    tags=["cash-out", "takeover"],
)
payee_restrictions = FeatureGroup(
    entity=payee,
    source="enforcement_actions",
    source_key="account_id",
    windows=[LIFETIME],
    measures=[count("restricted_count", where=RESTRICTED)],
    owner=ACCOUNT_SECURITY,
    description="Whether the payee was restricted before.",
    tags=["enforcement", "collusion"],
)
payee_disputes = FeatureGroup(
    entity=payee,
    source="disputes",
    windows=[days(30), LIFETIME],
    measures=[count("dispute_count"), count("fraud_dispute_count", where=BY_FRAUD)],
    owner=PAYMENTS_RISK,
    description="Payments to the payee that were disputed before.",
    tags=["disputes", "collusion"],
)
payee_reviews = FeatureGroup(
    entity=payee,
    source="reviews",
    source_key="reviewed_id",
    windows=[days(30), LIFETIME],
    measures=[
        count("review_count"),
        mean("stars", name="review_stars_mean"),
        distinct("reviewer_id", name="reviewer_count"),
    ],
    owner=ACCOUNT_SECURITY,
    description="What clients say of the payee's work, and how many of them: accomplices have few reviews.",
    tags=["reviews", "collusion"],
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
    owner=PAYMENTS_RISK,
    description="Many payers or cards on one device, and declines in a row: rings and card testing.",
    tags=["rings", "card testing"],
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
    owner=ACCOUNT_SECURITY,
    description="How new the device is, and how many accounts share it.",
    tags=["rings", "logins"],
)
device_disputes = FeatureGroup(
    entity=device,
    source="disputes",
    windows=[LIFETIME],
    measures=[count("fraud_dispute_count", where=BY_FRAUD)],
    owner=PAYMENTS_RISK,
    description="Payments made on the device that were disputed as fraud.",
    tags=["disputes", "rings"],
)
device_bad_payers = FeatureGroup(
    entity=device,
    source=Link(source="disputes", on="payer_id", through="logins", through_on="account_id"),
    windows=[LIFETIME],
    where=BY_FRAUD,
    measures=[distinct("payer_id", name="bad_payer_count")],
    owner=PAYMENTS_RISK,
    description="Accounts that logged in on the device and whose payments were disputed as fraud.",
    tags=["disputes", "rings", "links"],
)
device_traits = Lookup(
    entity=device,
    source="devices",
    columns=["emulator", "remote_desktop"],
    owner=ACCOUNT_SECURITY,
    description="What the device said of itself when it was first seen, and when that was.",
    tags=["card testing", "devices"],
)
pair_payments = FeatureGroup(
    entity=pair,
    source="payments",
    windows=[LIFETIME],
    measures=[is_new("is_new"), count("payment_count")],
    owner=PAYMENTS_RISK,
    description="What this payer has paid this payee before.",
    tags=["pairs"],
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
    owner=PAYMENTS_RISK,
    description="How often a card is used and declined, and by how many accounts.",
    tags=["card testing", "velocity"],
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
        ],
        context=["currency"],
    ),
    groups=[
        payer_payments,
        payer_age,
        payer_logins,
        payer_disputes,
        payer_hires,
        payer_instruments,
        payer_checks,
        payer_restrictions,
        payee_payments,
        payee_age,
        payee_payouts,
        payee_payout_methods,
        payee_restrictions,
        payee_disputes,
        payee_reviews,
        device_payments,
        device_logins,
        device_disputes,
        device_bad_payers,
        pair_payments,
        instrument_payments,
    ],
    lookups=[device_traits],
    derived=[ratio("amount_to_payer_mean_30d", "amount_usd", "payer_payment_usd_mean_30d")],
)
