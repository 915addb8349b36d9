"""Card transactions: what a customer and a terminal did before, and what became known of them a week later."""

from datetime import timedelta

from features.declare import (  # isort: skip  # One name a line would be a fifth of the example.
    LIFETIME, Entity, FeatureGroup, FeatureView, Spine, SqlSource, count, day_of_week, days, expression, hour_of_day,
    hours_since_first, hours_since_last, largest, mean, ratio, share, smallest, std, total,
)  # fmt: skip
from features.labels import Label
from training.model import Model

customer, terminal = Entity("customer", key="customer_id"), Entity("terminal", key="terminal_id")
LONG = [days(n) for n in (1, 3, 7, 14, 30, 60, 90)]
EVER, MEAN = [*LONG, LIFETIME], "customer_amount_mean"
customer_payments = FeatureGroup(
    entity=customer, source="payments", windows=EVER,
    measures=[count("payment_count"), mean("amount"), std("amount"), largest("amount")],
)  # fmt: skip
terminal_payments = FeatureGroup(
    entity=terminal, source="payments", windows=LONG, measures=[count("payment_count"), mean("amount")],
)  # fmt: skip
LABELLED = [days(7 + n) for n in (1, 2, 3, 5, 7, 10, 14, 21, 30)]  # 8 days hold one of known labels
terminal_risk = FeatureGroup(
    entity=terminal, source="fraud_labels", windows=[*LABELLED, LIFETIME],
    measures=[share("fraud_share", of="is_fraud"), total("is_fraud", name="fraud_count"), count("label_count")],
)  # fmt: skip
terminal_frauds = FeatureGroup(
    entity=terminal, source="fraud_labels", windows=[*LABELLED, LIFETIME], where="is_fraud = 1",
    measures=[hours_since_last("hours_since_fraud"), hours_since_first("hours_since_first_fraud"),
              smallest("amount", name="least_fraud"), largest("amount", name="largest_fraud")],
)  # fmt: skip
# The longer nobody vouched for a terminal, the likelier it was broken into since.
vouched = FeatureGroup(
    entity=terminal, source="fraud_labels", windows=[LABELLED[-1], LIFETIME],
    where="is_fraud = 0", measures=[hours_since_last("hours_since_honest")],
)  # fmt: skip
# All above 220 is fraud; a stolen card pays far above its customer's mean; of other frauds the terminal is to blame.
labelled = SqlSource(
    name="labelled_payments", key=["transaction_id"],
    sql="""SELECT *, amount / avg(amount) OVER (PARTITION BY customer_id ORDER BY event_at
        RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING) AS to_mean FROM {fraud_labels}""",
)  # fmt: skip
blamed = FeatureGroup(
    entity=terminal, source=labelled, windows=[*LABELLED, LIFETIME],
    where="is_fraud = 1 AND amount <= 220 AND coalesce(to_mean, 1) < 2.5", measures=[
        count("fault_count"), hours_since_last("hours_since_fault"), hours_since_first("hours_since_first_fault")],
)  # fmt: skip
customer_risk = FeatureGroup(
    entity=customer, source="fraud_labels", windows=LABELLED[4:], measures=[total("is_fraud", name="fraud_count")],
)  # fmt: skip

payment_view = FeatureView(
    name="payments",
    spine=Spine(source="payments", row="transaction_id",
                columns=["amount", hour_of_day("event_at"), day_of_week("event_at")]),
    groups=[customer_payments, customer_risk, terminal_payments, terminal_risk, terminal_frauds, vouched, blamed],
    derived=[
        *(ratio(f"amount_to_customer_mean_{w.label}", "amount", f"{MEAN}_{w.label}") for w in EVER),
        *(expression(f"amount_deviation_{w}", f"try_divide(amount - {MEAN}_{w}, customer_amount_std_{w})")
          for w in ("14d", "30d", "90d", "lifetime")),
        *(ratio(f"customer_{of}_{w.label}_to_mean", f"customer_amount_{of}_{w.label}", f"{MEAN}_lifetime")
          for of in ("mean", "max") for w in LONG[:4]),
    ],
)  # fmt: skip
payment_model = Model(
    name="payment_fraud", view=payment_view,
    monotone={f"terminal_hours_since_honest_{w}": 1 for w in ("37d", "lifetime")},
    label=Label(source="fraud_labels", on="transaction_id", fraud="is_fraud = 1", matures_after=timedelta(days=7)),
)  # fmt: skip
