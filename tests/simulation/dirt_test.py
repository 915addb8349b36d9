"""How the dirt of a tiny marketplace looks, kind by kind."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any

import numpy as np
import pytest
import yaml

from simulation.delivery import deliver
from simulation.dirt.kinds import draw_kinds
from simulation.dirt.outage import SILENT_APP, outage
from simulation.dirt.told_again import bursts
from simulation.marketplace import LOGS
from simulation.records import records
from simulation.settings import SimulationSettings
from simulation.world import simulate
from tests.simulation.clean_world import BUSINESS_KEYS, TEXTS, accounts, is_odd, retried, texts
from tests.simulation.raw_lines import CONTRACTS, TINY, Run, is_test, parsed, raw_lines, whole

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {name for name in one if one[name] != other[name]}


def test_a_second_delivery_repeats_every_field_but_its_arrival(run: Run) -> None:
    by_id: dict[str, dict[str, Any]] = {}
    pairs = 0
    for event in whole(raw_lines(run, "payments")):
        other = by_id.setdefault(event["event_id"], event)
        if other is not event and event["event_id"] is not None:
            pairs += 1
            assert differing(event, other) == {"ingest_ts", "raw_offset"}
    assert pairs > 0


@pytest.mark.parametrize("log", BUSINESS_KEYS)
def test_a_retry_repeats_every_field_but_its_id_within_minutes(run: Run, log: str) -> None:
    events = whole(raw_lines(run, log))
    pairs = [pair for pair in retried(events, log) if pair[0]["event_id"] != pair[1]["event_id"]]
    assert pairs
    for first, again in pairs:
        assert differing(first, again) == {"event_id", "ingest_ts", "raw_offset"}
        waited = datetime.fromisoformat(again["ingest_ts"]) - datetime.fromisoformat(first["ingest_ts"])
        assert timedelta(seconds=3) <= waited <= timedelta(minutes=10)


@pytest.mark.parametrize("log", ["logins", "payments", "payouts", "job_posts"])
def test_the_contract_knows_test_traffic_and_nothing_else_by_it(run: Run, log: str) -> None:
    (fields,) = yaml.safe_load((CONTRACTS / f"{log}.yml").read_text())["refuse"].values()
    events = whole(raw_lines(run, log))
    unwanted = [event for event in events if any(fnmatch(event[name], like) for name, like in fields.items())]
    assert unwanted == [event for event in events if is_test(event)]
    assert {event["producer"] == "synthetic-monitor" for event in unwanted} == {True, False}
    ids = {value for event in unwanted for name, value in event.items() if name[-3:] == "_id"}
    wanted = [event for event in events if not is_test(event)]
    assert not ids & {event[name] for event in wanted for name in event if name[-3:] == "_id"}


def test_the_contract_refuses_addresses_that_were_cut_off_and_no_others(run: Run) -> None:
    pattern = yaml.safe_load((CONTRACTS / "payments.yml").read_text())["columns"]["ip"]["pattern"]
    odd = [e["ip"] for e in whole(raw_lines(run, "payments")) if not is_test(e) and is_odd(e["ip"])]
    refused = {address for address in odd if not re.fullmatch(pattern, address)}
    assert refused == {address for address in odd if address.count(".") < 3 and ":" not in address}
    assert 0 < len(refused) < len(set(odd))


def test_an_orphan_is_in_no_other_row(run: Run) -> None:
    told = Counter(
        value
        for log in LOGS
        for event in {e["event_id"]: e for e in whole(raw_lines(run, log))}.values()
        for value in {str(value) for value in event.values()}
        if value.startswith("acc_") and not value.startswith("acc_test_")
    )
    strangers = {account: told[account] for account in told if account not in accounts()}
    assert set(strangers.values()) == {1}


def test_texts_are_broken_in_three_ways_and_are_else_as_they_were_written(run: Run) -> None:
    ways = Counter[str]()
    told = [(event, *TEXTS[log]) for log in TEXTS for event in whole(raw_lines(run, log))]
    for event, name, field in told:
        text, written = event[field], texts().get(event[name])
        if written is None or text == written or text.startswith("\ufeff"):
            continue
        way = "bytes" if "\ufffd" in text else "no width" if "\u200b" in text else "look-alike"
        ways[way] += 1
        bare = text.replace("\ufffd", "").replace("\u200b", "")
        assert way == "look-alike" or bare == written.replace("\u200b", "")
        assert way != "look-alike" or len(text) == len(written)
    assert set(ways) == {"bytes", "no width", "look-alike"}


@pytest.mark.parametrize("log", ["payments", "payouts", "job_posts"])
def test_wrong_clocks_are_off_by_exactly_an_hour_or_365_days(log: str) -> None:
    (source,) = (one for one in records(TINY, simulate(TINY)) if one.log == log)
    key = {"job_posts": "job_id"}.get(log) or BUSINESS_KEYS[log]
    true_ms = dict(zip(source.fields[key].tolist(), source.event_ms.tolist(), strict=True))
    delivery = deliver(TINY, source)
    off = Counter[float]()
    for name, said in zip(delivery.columns[key].tolist(), delivery.columns["event_ts"].tolist(), strict=True):
        if name in true_ms and (happened := parsed(said)) is not None:
            off[(happened.timestamp() * 1000 - true_ms[name]) / 3_600_000] += 1
    assert off[1.0] + off[-1.0] == delivery.planted["hour_off"]
    assert off[365 * 24.0] + off[-365 * 24.0] == delivery.planted["year_off"]
    assert log != "payments" or min(off[hours] for hours in (1.0, -1.0, 365 * 24.0, -365 * 24.0)) > 0


def test_an_app_is_silent_for_nine_hours_and_then_tells_all_at_once(run: Run) -> None:
    begin, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in outage(TINY))
    assert end - begin == 9 * HOUR
    events = [e for e in whole(raw_lines(run, "logins")) if e["producer"] == SILENT_APP and not is_test(e)]
    first = {e["event_id"]: e for e in reversed(events)}.values()
    arrivals = [
        datetime.fromisoformat(e["ingest_ts"])
        for e in first
        if (happened := parsed(e["event_ts"])) is not None and begin <= happened < end
    ]
    assert sum(end <= arrived < end + timedelta(minutes=2) for arrived in arrivals) >= 3
    assert not [arrived for arrived in arrivals if arrived < end]


@pytest.mark.parametrize("log", ["logins", "ledger_entries"])
def test_a_tenth_of_one_day_is_told_again(run: Run, log: str) -> None:
    (day,) = {datetime.fromtimestamp(bursts(TINY)[0] / 1000, UTC).date()}
    events = [e for e in whole(raw_lines(run, log)) if e["event_id"] is not None]
    once = {e["event_id"] for e in events if e["ingest_ts"].startswith(str(day))}
    assert 0.03 * len(once) < run.written[log].planted["replayed_day"] < 0.2 * len(once)


def test_an_outage_and_a_replay_can_be_switched_off() -> None:
    dirt = TINY.dirt.model_copy(update={"producer_outage": 0.0, "replayed_day": 0.0})
    calm = TINY.model_copy(update={"dirt": dirt})
    for source in records(calm, simulate(calm)):
        planted = deliver(calm, source).planted
        assert planted.get("producer_outage", 0) == planted.get("replayed_day", 0) == 0


def test_one_app_version_sends_no_device_and_another_one_sentinels(run: Run) -> None:
    events = whole(raw_lines(run, "payments"))
    missing = {e["producer"] for e in events if e["device_id"] is None}
    hidden = {e["producer"] for e in events if not (e["device_id"] or "dev_").startswith("dev_")}
    assert (missing, hidden) == ({"android-5.1"}, {"android-4.9"})


def test_addresses_are_missing_behind_one_proxy_and_more_often_from_hijackers() -> None:
    often = SimulationSettings().dirt.model_copy(update={"missing_ip": 0.05})
    settings = SimulationSettings(dirt=often)
    world = simulate(settings)
    (payments,) = (log for log in records(settings, world) if log.log == "payments")
    rows = np.arange(len(payments.event_ms))
    dirt = draw_kinds(np.random.default_rng(1), settings, payments, rows, rows < 0)
    is_missing, is_taken_over = dirt == "missing_ip", world.payments["typology"] == "T3"
    behind = np.char.startswith(payments.fields["ip"], "49.")
    assert not (is_missing & ~behind & ~is_taken_over).any()
    assert is_missing[is_taken_over].mean() > 2 * is_missing[~is_taken_over].mean() > 0
    assert 0.015 < is_missing.mean() < 0.1
