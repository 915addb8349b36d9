"""Rates, delays and difficulty of the simulated world, without files."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError

from simulation.columns import Array, take
from simulation.delivery import deliver
from simulation.population import honest_accounts
from simulation.records import records
from simulation.settings import FraudSettings, SimulationSettings
from simulation.world import World, simulate

DAY_MS = 86_400_000
MATURE_DAY = 165
RAW_TEXT = ("funding", "avs", "cvc", "currency", "card_country", "ip_country", "three_ds")


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SimulationSettings())


def area_under_curve(score: Array, truth: Array) -> float:
    """Return the chance that a fraud scores above an honest row, ties counted half."""
    values, inverse = np.unique(score, return_inverse=True)
    good = np.bincount(inverse, weights=~truth, minlength=len(values))
    bad = np.bincount(inverse, weights=truth, minlength=len(values))
    below = np.cumsum(good) - good
    area = float((bad * (below + good / 2)).sum() / (good.sum() * bad.sum()))
    return max(area, 1.0 - area)


def lines_of(settings: SimulationSettings) -> dict[str, set[tuple[str, ...]]]:
    """Return the lines of each log as tuples of text, arrival included."""
    found = {}
    for source in records(settings, simulate(settings)):
        columns = deliver(settings, source).columns
        names = [name for name in columns if name not in {"schema_version", "raw_offset", "event_type"}]
        found[source.log] = set(zip(*(map(str, columns[name].tolist()) for name in names), strict=True))
    return found


def test_the_same_seed_gives_the_same_lines_and_another_seed_others() -> None:
    tiny = lines_of(SimulationSettings.tiny())
    assert lines_of(SimulationSettings.tiny()) == tiny
    other = lines_of(SimulationSettings.tiny(seed=8))
    assert [log for log in tiny if tiny[log] & other[log]] == []


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(SimulationSettings(seed=7_000_002, days=14, accounts=50_000), id="classes"),
        pytest.param(SimulationSettings(start_on=date(2026, 12, 12), days=14), id="last day a holiday"),
    ],
)
def test_nobody_signs_up_after_the_last_day(settings: SimulationSettings) -> None:
    people = honest_accounts(settings)
    assert settings.end_ms - 3_600_000 < people["signup_ms"].max() < settings.end_ms
    invited = people["referrer"] >= 0
    assert (people["signup_ms"][people["referrer"][invited]] < people["signup_ms"][invited]).all()


def test_the_demo_has_the_stated_size(demo: World) -> None:
    assert 38_000 <= len(demo.payments["ms"]) <= 43_000
    assert 60_000 <= len(demo.logins["ms"]) <= 100_000
    assert 8_000 <= len(demo.accounts["account"]) <= 10_000
    assert 8_000 <= len(demo.payouts["ms"]) <= 15_000


def test_the_fraud_rate_among_approved_payments_is_the_one_asked_for(demo: World) -> None:
    approved = demo.payments["approved"]
    rate = float(demo.payments["is_fraud"][approved].mean())
    assert rate == pytest.approx(SimulationSettings().fraud.approved_share, abs=0.001)


def test_enough_frauds_mature(demo: World) -> None:
    settings = SimulationSettings()
    cases = take(demo.disputes, (demo.disputes["ms"] < settings.end_ms))
    cases = take(cases, cases["reason_code"] == "fraud")
    early = cases["paid_ms"] < settings.start_ms + MATURE_DAY * DAY_MS
    fraud = demo.payments["payment"][demo.payments["is_fraud"]]
    matured = np.unique(cases["payment"][early & np.isin(cases["payment"], fraud)])
    assert len(matured) >= 450


def test_most_frauds_are_reported_within_35_days(demo: World) -> None:
    cases = take(demo.disputes, demo.disputes["reason_code"] == "fraud")
    first: dict[int, int] = {}
    for payment, delay in zip(
        cases["payment"].tolist(), (cases["ms"] - cases["paid_ms"]).tolist(), strict=True
    ):
        first[payment] = min(delay, first.get(payment, delay))
    fraud = set(demo.payments["payment"][demo.payments["is_fraud"]].tolist())
    delays = [delay / DAY_MS for payment, delay in first.items() if payment in fraud]
    assert np.mean(np.array(delays) <= 35) > 0.75
    assert max(delays) <= 120


def test_some_frauds_are_never_disputed_and_some_honest_payments_are(demo: World) -> None:
    disputed = np.isin(demo.payments["payment"], demo.disputes["payment"])
    fraud = demo.payments["is_fraud"] & demo.payments["approved"]
    assert 0.05 < 1 - disputed[fraud].mean() < 0.2
    called_fraud = np.isin(
        demo.payments["payment"], demo.disputes["payment"][demo.disputes["reason_code"] == "fraud"]
    )
    assert 30 < int((called_fraud & ~demo.payments["is_fraud"]).sum()) < 200


def test_every_typology_takes_part(demo: World) -> None:
    approved = take(demo.payments, demo.payments["approved"])
    seen = Counter(approved["typology"].tolist())
    assert set(seen) == {"", "T1", "T2", "T3", "T6", "T7", "T8", "T9", "T12"}
    assert seen["T1"] > seen["T3"] > seen["T7"] > 5
    bad = Counter(approved["typology"][approved["is_fraud"]].tolist())
    assert set(bad) == {"T1", "T2", "T3", "T7", "T9"}


@pytest.mark.parametrize("column", RAW_TEXT)
def test_no_raw_category_separates_fraud(demo: World, column: str) -> None:
    rows = take(demo.payments, demo.payments["approved"])
    values, code = np.unique(rows[column], return_inverse=True)
    rate = np.bincount(code, weights=rows["is_fraud"], minlength=len(values)) / np.bincount(code)
    assert area_under_curve(rate[code], rows["is_fraud"]) < 0.85


@pytest.mark.parametrize("column", ["minor", "ip", "hour"])
def test_no_raw_number_separates_fraud(demo: World, column: str) -> None:
    rows = take(demo.payments, demo.payments["approved"])
    rows["hour"] = rows["ms"] // 3_600_000 % 24
    assert area_under_curve(rows[column], rows["is_fraud"]) < 0.85


def test_nobody_pays_before_signing_up(demo: World) -> None:
    signup = demo.accounts["signup_ms"]
    assert (demo.accounts["account"] == np.arange(len(signup))).all()
    assert (signup[demo.payments["payer"]] <= demo.payments["ms"]).mean() == pytest.approx(1.0)
    assert (signup[demo.payments["payee"]] <= demo.payments["ms"]).mean() == pytest.approx(1.0)


def test_typology_shares_must_add_up() -> None:
    with pytest.raises(ValidationError, match=r"add up to 1\.4200; make them add up to 1"):
        FraudSettings(stolen_card_share=1.0, card_testing_share=0.2, takeover_share=0.1, laundering_share=0.1)


def test_an_unknown_knob_is_refused() -> None:
    with pytest.raises(ValidationError, match="payments_a_day"):
        SimulationSettings.model_validate({"payments_a_day": 3})
