"""The tiny marketplace before any dirt, to tell what dirt did to its logs."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from simulation.dirt.addresses import PRIVATE
from simulation.identifiers import opaque
from simulation.records import records
from simulation.settings import SimulationSettings
from simulation.world import simulate
from tests.simulation.raw_lines import TINY

MEMBERS = {
    "logins": "account_id",
    "payments": "payee_id",
    "payouts": "account_id",
    "job_posts": "client_id",
    "proposals": "freelancer_id",
    "messages": "sender_id",
    "user_reports": "reporter_id",
    "reviews": "reviewer_id",
    "time_logs": "freelancer_id",
    "kyc_checks": "account_id",
    "enforcement_actions": "account_id",
    "credit_movements": "account_id",
    "job_views": "account_id",
}
# By log: what names a row, and what its author wrote.
TEXTS = {
    "job_posts": ("job_id", "description"),
    "proposals": ("proposal_id", "cover_letter"),
    "messages": ("message_id", "body"),
    "reviews": ("review_id", "comment"),
}
BUSINESS_KEYS = {"payments": "payment_id", "payouts": "payout_id"}


@cache
def texts(settings: SimulationSettings = TINY) -> dict[str, str]:
    """What every post, proposal, message and review says, as its author wrote it, by the name of its row."""
    found: dict[str, str] = {}
    for log in records(settings, simulate(settings)):
        if log.log in TEXTS:
            name, text = TEXTS[log.log]
            found |= dict(zip(log.fields[name].tolist(), log.fields[text].tolist(), strict=True))
    return found


@cache
def accounts() -> frozenset[str]:
    """Every account there is in the world, whatever the logs tell of it."""
    number = simulate(TINY).accounts["account"]
    return frozenset(opaque("acc", TINY.seed, number).tolist())


def is_odd(address: str | None) -> bool:
    """Whether it is no public IPv4 address."""
    return address is not None and (
        address.startswith(PRIVATE) or ":" in address or not re.fullmatch(r"(\d+\.){3}\d+", address)
    )


def retried(events: list[dict[str, Any]], log: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Events of a business key that another event had before, each after that other one."""
    if log not in BUSINESS_KEYS:
        return []
    first: dict[str, dict[str, Any]] = {}
    pairs = []
    for event in events:
        other = first.setdefault(event[BUSINESS_KEYS[log]], event)
        if other is not event:
            pairs.append((other, event))
    return pairs
