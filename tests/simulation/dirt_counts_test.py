"""The dirt of a tiny marketplace: as much as was planted, and no more than its contracts bear."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from simulation.dirt.outage import LUMP_MS, SILENT_APP, outage
from simulation.dirt.told_again import BURST_MS, bursts
from simulation.marketplace import LOGS
from tests.simulation.clean_world import MEMBERS, TEXTS, accounts, is_odd, retried, texts
from tests.simulation.raw_lines import CONTRACTS, TINY, Run, is_test, lines_of, parsed, raw_lines, whole

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TELL_PAST = {
    "accounts",
    "account_changes",
    "contract_changes",
    "instrument_changes",
    "payout_method_changes",
    "profile_changes",
    "organisation_changes",
    "kyc_checks",
    "devices",
    "credit_movements",
    "exchange_rates",
    "card_issuers",
    "throw_away_domains",
    "holidays",
}


@pytest.mark.parametrize("log", LOGS)
def test_planted_counts_are_the_counts_found(run: Run, log: str) -> None:
    lines = raw_lines(run, log)
    events = whole(lines)
    found = Counter({"truncated_line": len(lines) - len(events)})
    known = accounts()
    first: dict[str, dict[str, Any]] = {}
    for event in events:
        found["bad_currency"] += event.get("currency", "USD") not in {"USD", "EUR", "GBP", "INR"}
        found["money_as_text"] += "," in event.get("amount", "")
        found["bad_timestamp"] += event["event_ts"] in {"", "not-a-time"}
        found["test_traffic"] += is_test(event)
        found["bad_address"] += not is_test(event) and is_odd(event.get("ip", event.get("signup_ip")))
        found["orphan"] += log in MEMBERS and not is_test(event) and event[MEMBERS[log]] not in known
        found["missing_key"] += event["event_id"] is None
        device = event.get("device_id", event.get("signup_device_id"))
        if log in TEXTS and not is_test(event):
            name, text = (event[field] for field in TEXTS[log])
            is_marked = text.startswith("\ufeff")
            found["byte_order_mark"] += is_marked
            found["broken_text"] += text != texts()[name] and not is_marked
        found["missing_device"] += device is None
        found["missing_ip"] += event.get("ip", event.get("signup_ip", "")) is None
        found["sentinel_device"] += device in {"unknown", "", "00000000"}
        found["other_schema"] += event["schema_version"] != 2
        if event["event_id"] in first:
            found["replayed_day" if is_in_a_burst(event) else "exact_duplicate"] += 1
        if event["event_id"] is not None:
            first.setdefault(event["event_id"], event)
    found["near_duplicate"] = len(retried(list(first.values()), log))
    for event in first.values():
        happened, arrived = parsed(event["event_ts"]), parsed(event["ingest_ts"])
        if happened is None or arrived is None or (log in TELL_PAST and happened.date() < TINY.start_on):
            continue
        late = arrived - happened
        if "producer_outage" in run.written[log].planted and was_held_back(event, happened, arrived):
            found["producer_outage"] += 1
            continue
        found["year_off"] += abs(late) > 300 * DAY
        found["clock_skew"] += HOUR <= late < 1.1 * HOUR
        behind = event.get("op") == "I" and timedelta(minutes=12) < late < HOUR
        found["out_of_order_change"] += behind
        found["very_late_arrival"] += DAY < late < 300 * DAY
        found["late_arrival"] += 1.1 * HOUR <= late < DAY
        found["clock_skew"] += timedelta(minutes=5) < -late < 300 * DAY
    found["ledger_imbalance"] = unequal_sides(first)
    planted = dict(run.written[log].planted)
    if "hour_off" in planted:
        planted["clock_skew"] += planted.pop("hour_off")
    assert {kind: found[kind] for kind in planted} == planted
    assert run.written[log].rows == len(lines)


def is_in_a_burst(event: dict[str, Any]) -> bool:
    arrived = datetime.fromisoformat(event["ingest_ts"]).timestamp() * 1000
    return any(begin <= arrived < begin + BURST_MS for begin in bursts(TINY))


def was_held_back(event: dict[str, Any], happened: datetime, arrived: datetime) -> bool:
    begin, end = outage(TINY)
    is_in_lump = end <= arrived.timestamp() * 1000 < end + LUMP_MS
    is_silent = event["producer"] == SILENT_APP and not is_test(event)
    return is_silent and is_in_lump and begin <= happened.timestamp() * 1000 < end


def unequal_sides(entries: dict[str, dict[str, Any]]) -> int:
    """How many transactions have a debit that is not their credit."""
    balance: Counter[str] = Counter()
    for entry in entries.values():
        if "side" in entry:
            balance[entry["txn_id"]] += entry["amount_minor"] * (1 if entry["side"] == "debit" else -1)
    return sum(value != 0 for value in balance.values())


def test_every_kind_of_dirt_occurs_in_a_tiny_marketplace(run: Run) -> None:
    total: Counter[str] = Counter()
    for log in run.written.values():
        total.update(log.planted)
    assert set(total) == {*type(TINY.dirt).model_fields, "other_schema"}
    assert min(total.values()) > 0


@pytest.mark.parametrize("log", LOGS)
def test_no_day_carries_more_refused_rows_than_its_contract_allows(run: Run, log: str) -> None:
    contract = yaml.safe_load((CONTRACTS / f"{log}.yml").read_text())
    files = list((run.root / log).rglob("*.gz"))
    assert files
    for file in files:
        lines = lines_of(file)
        events = [event for event in whole(lines) if not is_test(event)]
        cut_off = len(lines) - len(whole(lines))
        near = len([pair for pair in retried(events, log) if pair[0]["event_id"] != pair[1]["event_id"]])
        refused = cut_off + near + sum(is_refused(event, is_app="late_by" in contract) for event in events)
        judged = cut_off + len(events)
        assert refused <= contract["refuse_above"] * judged, f"{file}: {refused} of {judged}"


def is_refused(event: dict[str, str], *, is_app: bool) -> bool:
    happened = parsed(event["event_ts"])
    return (
        event["event_id"] is None
        or "," in event.get("amount", "")
        or event.get("currency", "USD") not in {"USD", "EUR", "GBP", "INR"}
        or is_cut_off(event.get("ip", event.get("signup_ip")))
        or happened is None
        or (is_app and happened < datetime.fromisoformat(event["ingest_ts"]).astimezone(UTC) - 90 * DAY)
        or happened > datetime.fromisoformat(event["ingest_ts"]).astimezone(UTC) + timedelta(minutes=5)
    )


def is_cut_off(address: str | None) -> bool:
    return address is not None and ":" not in address and address.count(".") < 3
