"""Sign-ups: what came before from the same address, network and e-mail, and what became known of it a day later."""

from datetime import timedelta

# One name a line would be a fifth of the example.
from features.declare import (  # isort: skip
    LIFETIME, Entity, FeatureGroup, FeatureView, Spine, SqlSource, category, count, day_of_week, days, distinct,
    expression, hour_of_day, hours, hours_since_first, hours_since_last, share, total,
)  # fmt: skip
from features.labels import Label
from training.model import Model

NAME = "regexp_extract(email, '^([^@]*)@', 1)"
PARTS = f"""
    email, ip, {NAME} AS name, substring_index(ip, '.', 2) AS network, regexp_extract(email, '@(.*)$', 1) AS domain
"""
seen = SqlSource(
    name="seen", key=["sign_up_id"], sql=f"SELECT sign_up_id, event_at, known_at, {PARTS} FROM {{sign_ups}}"
)
told = SqlSource(
    name="told", key=["sign_up_id"],
    sql=f"""
        SELECT sign_up_id, event_at, known_at, int(label = 'fraud') AS is_fraud, {PARTS}
        FROM {{sign_up_labels}} WHERE label IS NOT NULL
    """,
)  # fmt: skip
address, mail = Entity("address", key="ip"), Entity("mail", key="email")
groups = [
    group
    for entity, column in ((address, "ip"), (mail, "email"))
    for group in (
        FeatureGroup(
            entity=entity, source=seen, source_key=column, windows=[hours(1), days(1), days(7), days(30), LIFETIME],
            measures=[count("sign_ups")],
        ),
        FeatureGroup(
            entity=entity, source=seen, source_key=column, windows=[LIFETIME],
            measures=[
                distinct("email" if column == "ip" else "ip", name="others"), hours_since_first("hours_since_first"),
                hours_since_last("hours_since_last"),
            ],
        ),
        FeatureGroup(
            entity=entity, source=told, source_key=column, windows=[days(30), LIFETIME],
            measures=[total("is_fraud", name="fraud_count"), share("fraud_share", of="is_fraud"), count("label_count")],
        ),
    )
]  # fmt: skip
view = FeatureView(
    name="sign_ups",
    spine=Spine(
        source="sign_ups", row="sign_up_id",
        columns=[
            hour_of_day("event_at"), day_of_week("event_at"), expression("name_length", f"length({NAME})"),
            expression("name_digits", f"length(regexp_replace({NAME}, '[^0-9]', ''))"),
            category("regexp_extract(email, '@(.*)$', 1)", name="domain"),
            category("substring_index(ip, '.', 1)", name="network", codes=256),
            expression("first_octet", "int(substring_index(ip, '.', 1))"),
        ],
    ),
    groups=groups,
)  # fmt: skip
model = Model(
    name="sign_up_fraud",
    view=view,
    label=Label(
        source="sign_up_labels", on="sign_up_id", fraud="label = 'fraud'", not_fraud="label = 'legit'",
        silence_acquits=False, matures_after=timedelta(days=1),
    ),
)  # fmt: skip
