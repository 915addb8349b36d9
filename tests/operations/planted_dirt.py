"""What the events of a simulated marketplace show of the dirt in its logs that no rule refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame

from lake.hash_key import HashKey
from simulation.dirt.outage import LUMP_MS, outage
from simulation.identifiers import opaque
from simulation.marketplace import LOGS
from simulation.records import records
from simulation.settings import SimulationSettings
from simulation.world import simulate
from tests.simulation.clean_world import MEMBERS, TEXTS, texts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TELL_PAST = (
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
)
APPS = ("logins", "payments", "job_posts", "proposals", "messages", "reviews", "time_logs", "job_views")
DEVICES = dict.fromkeys((*APPS, "payouts"), "device_id") | {"accounts": "signup_device_id"}
ADDRESSES = dict.fromkeys(APPS, "ip") | {"accounts": "signup_ip"}


def shown(table: Callable[[str], DataFrame], settings: SimulationSettings, key: HashKey) -> Counter[str]:
    """How many events show each kind of dirt, compared with the world before there was any."""
    world = simulate(settings)
    accounts = set(opaque("acc", settings.seed, world.accounts["account"]).tolist())
    public = {
        key.hashed(address)
        for log in records(settings, world)
        if log.log in ADDRESSES
        for address in set(log.fields[ADDRESSES[log.log]].tolist())
    }
    found = Counter[str]()
    for log in LOGS:
        for row in table(f"events_{log}").collect():
            event = row.asDict()
            found.update(_of_time(log, event, settings))
            if log in DEVICES:
                found["no_device"] += event[DEVICES[log]] is None
            if log in ADDRESSES:
                address = event[ADDRESSES[log]]
                found["missing_ip" if address is None else "odd_address"] += address not in public
            if log in MEMBERS:
                found["orphan"] += event[MEMBERS[log]] not in accounts
            if log in TEXTS:
                name, text = (event[field] for field in TEXTS[log])
                is_marked = text.startswith("\ufeff")
                found["byte_order_mark" if is_marked else "broken_text"] += text != texts(settings)[name]
    return found


def _of_time(log: str, event: dict[str, Any], settings: SimulationSettings) -> Iterator[str]:
    """The kind of dirt that the times of an event show, if any."""
    happened, told = event["event_at"], event["told_at"]
    if log in TELL_PAST and happened.date() < settings.start_on:
        return
    begin, end = (datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None) for ms in outage(settings))
    late = told - happened
    if begin <= happened < end <= told < end + timedelta(milliseconds=LUMP_MS):
        yield "producer_outage"
    elif late >= DAY:
        yield "very_late_arrival"
    elif late >= 1.1 * HOUR:
        yield "late_arrival"
    elif late >= HOUR:
        yield "hour_behind"
    elif event.get("op") == "I" and late > timedelta(minutes=12):
        yield "out_of_order_change"
