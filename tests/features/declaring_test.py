"""The page on declaring features: its definitions load, fit the logs it speaks of, and give the names it promises."""

from __future__ import annotations

import re
from pathlib import Path

from features.check import mistakes
from features.declare import FeatureView

PAGE = Path(__file__).parents[2] / "docs" / "declaring_features.md"
TIMES = {"event_at", "known_at"}
LOGS = {
    "payments": TIMES | {"payment_id", "payer_id", "amount", "amount_usd", "currency"},
    "users": TIMES | {"user_id", "lsn", "op", "status", "kyc_level"},
    "fx_rates": TIMES | {"currency", "usd_per_unit"},
    "settlements": TIMES | {"settlement_id", "payment_id"},
}


def test_the_definitions_of_the_page_are_right_and_give_what_it_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    declared: dict[str, object] = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)), declared)  # noqa: S102 - our own page
    view = declared["payments"]
    assert isinstance(view, FeatureView)
    assert mistakes(view, LOGS) == []
    days = declared["payer_days"]
    assert isinstance(days, FeatureView)
    assert mistakes(days, LOGS) == []
    names = {*view.features, *view.context}
    promised = ["payer_payment_count_1h", "payer_kyc_level", "payer_is_restricted", "payer_status"]
    promised += ["payer_users_age_hours", "amount_in_usd", "has_amount_in_usd_rate"]
    assert {name for name in promised if f"`{name}`" in text} == set(promised) <= names
