"""Who confirms an e-mail address and who has documents checked, and when; and every check, the failed ones too.

A check tells whose face and whose document it saw: people who return after a ban (T11) show the same again, unless
they borrow another's. The rented identities (T8) pass, for the documents are real.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.fraud.rented_identities import TYPOLOGY as RENTED
from simulation.fraud.returning import TYPOLOGY as RETURNED
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

_MINUTE_MS = 60_000
_BAD_PICTURES = ("blurred", "cut_off", "expired", "name_differs", "looks_forged")
_FIRST_BORROWED = 8_000_000_000


def verified(settings: SimulationSettings, people: Columns) -> Columns:
    """Return when every account confirmed its e-mail address and had its documents checked: minutes and days later.

    ``confirmed_ms`` and ``checked_ms``; -1 where that never happens.
    """
    rng = stream(settings.seed, "verification")
    count = size(people)
    confirmed = people["signup_ms"] + rng.integers(2 * _MINUTE_MS, 20 * _MINUTE_MS, count)
    days = rng.lognormal(np.where(people["typology"] == RENTED, 0.2, 1.2), 1.1)
    confirms = happens(rng, 0.92, count)
    checks = confirms & happens(rng, np.where(people["typology"] == RENTED, 0.9, 0.45), count)
    return {
        "confirmed_ms": np.where(confirms, confirmed, -1),
        "checked_ms": np.where(checks, confirmed + (days * DAY_MS).astype(np.int64), -1),
    }


def kyc_checks(settings: SimulationSettings, people: Columns) -> Columns:
    """Return the checks up to the end of the period, sorted by time: document, selfie, and the lists of sanctions.

    Whoever is verified passed all three within minutes, one in six after a failure; others failed and gave up.
    """
    rng = stream(settings.seed, "kyc checks")
    checked = verified(settings, people)["checked_ms"]
    passes = checked >= 0
    gives_up = ~passes & happens(rng, 0.05, size(people))
    late = people["signup_ms"] + (rng.lognormal(1.2, 1.1, size(people)) * DAY_MS).astype(np.int64)
    who = np.flatnonzero(passes)
    retried = who[happens(rng, 0.16, len(who))]
    failed = np.concatenate([retried, np.flatnonzero(gives_up)])
    earlier = checked - rng.integers(4, 600, size(people)) * _MINUTE_MS
    failed_at = np.where(passes, np.maximum(earlier, people["signup_ms"] + _MINUTE_MS), late)[failed]
    parts = [
        _check(
            failed,
            failed_at,
            "document",
            "fail",
            choice(rng, _BAD_PICTURES, (45, 20, 15, 12, 8), len(failed)),
        )
    ]
    for kind, minutes in (("document", 2), ("selfie", 1), ("sanctions", 0)):
        parts.append(_check(who, checked[who] - minutes * _MINUTE_MS, kind, "pass", ""))
    rows = stack(parts)
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    rows = take(rows, rows["ms"] < settings.end_ms)
    return rows | _shown(rng, people, rows["account"])


def _check(account: Ints, ms: Ints, kind: str, outcome: str, reason: Array | str) -> Columns:
    count = len(account)
    return {
        "account": account,
        "ms": ms,
        "kind": np.full(count, kind).astype("<U9"),
        "outcome": np.full(count, outcome),
        "reason": np.full(count, reason).astype("<U12"),
    }


def _shown(rng: np.random.Generator, people: Columns, account: Ints) -> Columns:
    """Return whose document and face a check sees, and the document's country: where its owner claims to live.

    Every member of a farm has borrowed a person of its own; newcomers in a country carry papers of another.
    """
    borrows = np.isin(people["typology"], (RENTED, RETURNED)) & happens(rng, 0.6, size(people))
    borrows |= people["typology"] == RENTED
    person = np.where(borrows, _FIRST_BORROWED + people["account"], people["hand"])
    immigrant: Flags = happens(rng, 0.07, size(people))
    country = np.where(immigrant, people["phone_country"][rng.permutation(size(people))], people["country"])
    return {"person": person[account], "doc_country": country[account]}
