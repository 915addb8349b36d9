"""Payments with what payer and payee did before, and disputes as labels that mature in ten days."""

from __future__ import annotations

from datetime import timedelta

from features.declare import Entity, FeatureGroup, FeatureView, Spine, count, days, total
from features.labels import Label
from training.model import Model

payer = Entity("payer", key="payer_id")
payee = Entity("payee", key="payee_id")

payer_payments = FeatureGroup(
    entity=payer,
    source="payments",
    windows=[days(1), days(7)],
    measures=[count("payment_count"), total("amount_usd")],
)
payee_disputes = FeatureGroup(
    entity=payee, source="disputes", windows=[days(30)], measures=[count("dispute_count")]
)
payments_view = FeatureView(
    name="payments",
    spine=Spine(
        source="payments", row="payment_id", where="auth_result = 'approved'", columns=["amount_usd"]
    ),
    groups=[payer_payments, payee_disputes],
)
payment_fraud = Model(
    name="payment_fraud",
    view=payments_view,
    label=Label(
        source="disputes", on="payment_id", fraud="reason_code = 'fraud'", matures_after=timedelta(days=10)
    ),
)
