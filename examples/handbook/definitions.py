"""Card transactions: what a customer and a terminal did before, and what became known of them a week later."""

from datetime import timedelta

from features.declare import (
    LIFETIME,
    Entity,
    FeatureGroup,
    FeatureView,
    Spine,
    count,
    day_of_week,
    days,
    expression,
    hour_of_day,
    hours_since_last,
    largest,
    mean,
    share,
    total,
)  # fmt: skip
from features.labels import Label
from training.model import Model

customer = Entity("customer", key="customer_id")
terminal = Entity("terminal", key="terminal_id")

customer_payments = FeatureGroup(
    entity=customer, source="payments", windows=[days(1), days(7), days(30), LIFETIME],
    measures=[count("payment_count"), mean("amount"), largest("amount")],
)  # fmt: skip
terminal_payments = FeatureGroup(
    entity=terminal, source="payments", windows=[days(1), days(7), days(30)],
    measures=[count("payment_count"), mean("amount")],
)  # fmt: skip
terminal_risk = FeatureGroup(  # labels arrive a week late, so 8 days look at one day of known ones
    entity=terminal, source="fraud_labels", windows=[days(8), days(14), days(37), LIFETIME],
    measures=[share("fraud_share", of="is_fraud"), total("is_fraud", name="fraud_count"), count("label_count")],
)  # fmt: skip
terminal_frauds = FeatureGroup(
    entity=terminal, source="fraud_labels", windows=[LIFETIME], where="is_fraud = 1",
    measures=[hours_since_last("hours_since_fraud")],
)  # fmt: skip
customer_risk = FeatureGroup(
    entity=customer, source="fraud_labels", windows=[days(14), days(37)],
    measures=[total("is_fraud", name="fraud_count")],
)  # fmt: skip

payment_view = FeatureView(
    name="payments",
    spine=Spine(
        source="payments", row="transaction_id",
        columns=["amount", hour_of_day("event_at"), day_of_week("event_at")],
    ),
    groups=[customer_payments, terminal_payments, terminal_risk, terminal_frauds, customer_risk],
    derived=[
        expression("amount_to_customer_mean_30d", "amount / customer_amount_mean_30d"),
        expression("amount_to_customer_mean_ever", "amount / customer_amount_mean_lifetime"),
    ],
)  # fmt: skip
payment_model = Model(
    name="payment_fraud",
    view=payment_view,
    label=Label(
        source="fraud_labels", on="transaction_id", fraud="is_fraud = 1", matures_after=timedelta(days=7)
    ),
)
