"""Reference data agrees with what people do: the rates they paid at, the issuers of their cards, their addresses."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from simulation import geography
from simulation.records import records
from simulation.settings import SimulationSettings
from simulation.world import World, simulate

DAY_MS = 86_400_000
SETTINGS = SimulationSettings()


@pytest.fixture(scope="module")
def demo() -> World:
    return simulate(SETTINGS)


@pytest.fixture(scope="module")
def told(demo: World) -> dict[str, Any]:
    return {log.log: log for log in records(SETTINGS, demo)}


def test_amounts_in_dollars_are_those_of_the_rate_that_was_published_for_the_day(
    told: dict[str, Any],
) -> None:
    published = told["exchange_rates"]
    days = (published.event_ms // DAY_MS).tolist()
    keys = list(zip(days, published.fields["currency"].tolist(), strict=True))
    assert len(set(keys)) == len(keys) == (SETTINGS.days + 1) * len(geography.CURRENCIES)
    rate = dict(zip(keys, map(Decimal, published.fields["usd"].tolist()), strict=True))
    payments = told["payments"]
    currencies = set()
    for ms, currency, amount, usd in zip(
        payments.event_ms.tolist(),
        *(payments.fields[name].tolist() for name in ("currency", "amount", "amount_usd")),
        strict=True,
    ):
        exact = Decimal(amount) * rate[ms // DAY_MS, currency]
        assert 0 <= exact - Decimal(usd) < Decimal("0.0001")
        currencies.add(currency)
    assert currencies == set(geography.CURRENCIES.tolist())


def test_the_first_digits_of_a_card_name_one_issuer_of_its_country_and_funding(demo: World) -> None:
    issuers = demo.card_issuers
    assert len(np.unique(issuers["bin"])) == len(issuers["bin"]) == 1920
    assert (issuers["ms"] < SETTINGS.start_ms).all()
    said = dict(
        zip(
            issuers["bin"].tolist(),
            zip(issuers["country"].tolist(), issuers["funding"].tolist(), strict=True),
            strict=True,
        )
    )
    cards = demo.instrument_changes
    for digits, country, funding in zip(
        *(cards[name].tolist() for name in ("bin", "card_country", "funding")), strict=True
    ):
        assert said[digits] == (country, funding)


def test_the_throw_away_domain_in_use_is_listed_before_the_first_day_and_others_are_unseen(
    demo: World,
) -> None:
    domains = dict(zip(*(demo.throw_away_domains[name].tolist() for name in ("domain", "ms")), strict=True))
    used = set(demo.accounts["email_domain"].tolist())
    assert used & set(domains) == {"mailbox.example"}
    assert domains["mailbox.example"] < SETTINGS.start_ms
    assert sum(ms >= SETTINGS.start_ms for ms in domains.values()) > 10


def test_one_region_tells_what_holds_for_all(told: dict[str, Any]) -> None:
    assert {name for name, log in told.items() if log.is_of_all} == {
        "exchange_rates",
        "card_issuers",
        "throw_away_domains",
        "holidays",
    }


def test_a_holiday_is_known_before_it_comes_and_fewer_people_pay_on_it(told: dict[str, Any]) -> None:
    listed, payments = told["holidays"], told["payments"]
    days = np.array(listed.fields["day"], dtype="datetime64[D]")
    assert (listed.event_ms < days.astype("datetime64[ms]").astype(np.int64)).all()
    in_period = days.astype(np.int64) * DAY_MS < SETTINGS.end_ms
    holidays = set(zip(listed.fields["country"][in_period].tolist(), days[in_period].tolist(), strict=True))
    assert len({country for country, _ in holidays}) == len(geography.COUNTRIES)
    country = np.array(payments.fields["ip_country"])
    paid_on = (payments.event_ms // DAY_MS).astype("datetime64[D]").tolist()
    paid = Counter(zip(country.tolist(), paid_on, strict=True))
    of_holidays = sum(paid[holiday] for holiday in holidays)
    a_week_off = sum(paid[where, day + timedelta(days=7)] for where, day in holidays)
    assert of_holidays < 0.75 * a_week_off
