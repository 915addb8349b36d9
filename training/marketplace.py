"""The built-in marketplace's models, declared exactly as a user would declare their own."""

from __future__ import annotations

from datetime import timedelta

from features.labels import Label
from features.marketplace.payments import payments_view
from training.model import Model

payment_fraud = Model(
    name="payment_fraud",
    view=payments_view,
    label=Label(
        source="disputes", on="payment_id", fraud="reason_code = 'fraud'", matures_after=timedelta(days=35)
    ),
)
