"""What the events of a simulated marketplace show of the dirt in its logs that no rule refuses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame

from simulation.dirt.addresses import PRIVATE
from simulation.dirt.outage import LUMP_MS, outage
from simulation.identifiers import opaque
from simulation.marketplace import LOGS
from simulation.records import records
from simulation.settings import SimulationSettings
from simulation.world import simulate

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TELL_PAST = ("accounts", "account_changes")
DEVICES = dict.fromkeys(("logins", "payments", "payouts", "job_posts"), "device_id") | {
    "accounts": "signup_device_id"
}
ADDRESSES = dict.fromkeys(("logins", "payments", "job_posts"), "ip") | {"accounts": "signup_ip"}
MEMBERS = {
    "logins": "account_id",
    "payments": "payee_id",
    "payouts": "account_id",
    "job_posts": "client_id",
    "user_reports": "reporter_id",
}


def shown(table: Callable[[str], DataFrame], settings: SimulationSettings) -> Counter[str]:
    """How many events show each kind of dirt, compared with the world before there was any."""
    world = simulate(settings)
    accounts = set(opaque("acc", settings.seed, world.accounts["account"]).tolist())
    (posts,) = (log.fields for log in records(settings, world) if log.log == "job_posts")
    texts = dict(zip(posts["job_id"].tolist(), posts["description"].tolist(), strict=True))
    found = Counter[str]()
    for log in LOGS:
        for row in table(f"events_{log}").collect():
            event = row.asDict()
            found.update(_of_time(log, event, settings))
            if log in DEVICES:
                found["no_device"] += event[DEVICES[log]] is None
            if log in ADDRESSES:
                found[_address(event[ADDRESSES[log]])] += 1
            if log in MEMBERS:
                found["orphan"] += event[MEMBERS[log]] not in accounts
            if log == "job_posts" and event["description"] != texts[event["job_id"]]:
                is_marked = event["description"].startswith("\ufeff")
                found["byte_order_mark" if is_marked else "broken_text"] += 1
    return found


def _address(address: str | None) -> str:
    if address is None:
        return "missing_ip"
    is_public = re.fullmatch(r"(\d+\.){3}\d+", address) and not address.startswith(PRIVATE)
    return "public_address" if is_public else "odd_address"


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
