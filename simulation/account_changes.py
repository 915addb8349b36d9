"""The change log of accounts, one row per change: sign-up, verification, new e-mail, and what enforcement does.

A row holds the account as it is after the change. What was before the first day is one row per account, its
state then. Nobody acts after closing the account.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.population import DAY_MS, EMAIL_DOMAINS
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream
from simulation.tenure import folded
from simulation.verification import verified

_SAME = -1  # the change leaves the verification as it is; an empty text does so for the others


def account_changes(
    settings: SimulationSettings, people: Columns, acts: Columns, sanctioned: Columns
) -> Columns:
    """Return the changes up to the end of the period, sorted by ``lsn``, which grows with time.

    Args:
        settings: the marketplace.
        people: every account, its number its position.
        acts: what accounts do: account, ms.
        sanctioned: who is restricted, suspended and freed, and when (``enforcement``).
    """
    rng = stream(settings.seed, "account changes")
    rows = stack(
        [
            *_verifications(people, verified(settings, people)),
            _new_addresses(rng, settings, people),
            *_enforced(sanctioned),
        ]
    )
    last = people["signup_ms"].copy()
    for some in (acts, rows):
        np.maximum.at(last, some["account"], some["ms"])
    return _as_log(rng, settings, people, _until_closed(rng, settings, people, rows, last))


def _change(
    account: Array, ms: Array, *, op: str = "U", kyc: int = _SAME, domain: Array | str = "", status: str = ""
) -> Columns:
    count = len(account)
    return {
        "account": account,
        "ms": ms.astype(np.int64),
        "op": np.full(count, op),
        "kyc_level": np.full(count, kyc),
        "email_domain": np.full(count, domain).astype(f"<U{max(map(len, EMAIL_DOMAINS))}"),
        "status": np.full(count, status).astype("<U10"),
    }


def _verifications(people: Columns, verification: Columns) -> list[Columns]:
    """Sign-ups, e-mails confirmed and documents checked."""
    who = people["account"]
    inserted = _change(
        who, people["signup_ms"], op="I", kyc=0, domain=people["email_domain"], status="active"
    )
    levels = [inserted]
    for level, at in ((1, verification["confirmed_ms"]), (2, verification["checked_ms"])):
        reached = at >= 0
        levels.append(_change(who[reached], at[reached], kyc=level))
    return levels


def _new_addresses(rng: np.random.Generator, settings: SimulationSettings, people: Columns) -> Columns:
    """Another e-mail address for one account in twenty-five."""
    who = people["account"][happens(rng, 0.04, size(people))]
    at = _moments(rng, settings, people["signup_ms"][who] + DAY_MS)
    return _change(who, at, domain=choice(rng, EMAIL_DOMAINS, (50, 20, 10, 15, 5), len(who)))


def _enforced(sanctioned: Columns) -> list[Columns]:
    """Restrictions, and what was decided and appealed afterwards."""
    who, convicted = sanctioned["account"], sanctioned["is_convicted"]
    decided, heard = sanctioned["decided_ms"], sanctioned["heard_ms"]
    return [
        _change(who, sanctioned["restricted_ms"], status="restricted"),
        _change(who[convicted], decided[convicted], status="suspended"),
        _change(who[~convicted], decided[~convicted], status="active"),
        _change(who[heard >= 0], heard[heard >= 0], status="active"),
    ]


def _until_closed(
    rng: np.random.Generator, settings: SimulationSettings, people: Columns, rows: Columns, last: Ints
) -> Columns:
    """Add the accounts closed some time after their last act, and some deleted later on request."""
    sanctioned = np.isin(people["account"], rows["account"][rows["status"] == "suspended"])
    closes = ~sanctioned & happens(rng, 0.08, size(people))
    at = np.maximum(last, settings.start_ms) + (rng.exponential(25.0, size(people)) * DAY_MS).astype(np.int64)
    deleted = closes & happens(rng, 0.25, size(people))
    who = people["account"]
    return stack(
        [
            rows,
            _change(who[closes], at[closes], status="closed"),
            _change(who[deleted], at[deleted] + 30 * DAY_MS, op="D"),
        ]
    )


def _as_log(
    rng: np.random.Generator, settings: SimulationSettings, people: Columns, rows: Columns
) -> Columns:
    """Carry every account's state on from change to change; fold what was before the period into one row."""
    rows = take(rows, rows["ms"] < settings.end_ms)
    rows = take(rows, np.lexsort((rows["ms"], rows["account"])))
    rows["kyc_level"] = _carried(rows["kyc_level"], rows["kyc_level"] != _SAME)
    for name in ("email_domain", "status"):
        rows[name] = _carried(rows[name], rows[name] != "")
    rows = folded(rows, settings.start_ms)
    soon = np.append(rows["ms"][1:], [0])
    same = np.append(rows["account"][1:] == rows["account"][:-1], [False])
    rows["next_ms"] = np.where(same & (rows["op"] == "I"), soon, 0)
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    return rows | {
        "lsn": 1_000_000 + np.cumsum(rng.integers(1, 9, size(rows))),
        "role": people["role"][rows["account"]],
        "country": people["country"][rows["account"]],
    }


def _carried(values: Array, is_set: Flags) -> Array:
    """Return the last value that was set; the first row of every account sets all."""
    return values[np.maximum.accumulate(np.where(is_set, np.arange(len(values)), 0))]


def _moments(rng: np.random.Generator, settings: SimulationSettings, since: Ints) -> Ints:
    """Return a moment of the period for each, none before ``since``."""
    opens = np.maximum(since, settings.start_ms)
    drawn: Ints = opens + (rng.random(len(since)) * (settings.end_ms - opens).clip(0)).astype(np.int64)
    return drawn
