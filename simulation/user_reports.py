"""User reports, one row each: what members tell the platform about posts, accounts and threads, right or wrong.

For solicitation (T4), farmed ratings (T6) and rented identities (T8) they are the only sign the platform gets.
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, Flags, Ints, size, stack, take
from simulation.fraud.non_delivery import TYPOLOGY as NON_DELIVERY
from simulation.fraud.rented_identities import TYPOLOGY as RENTED_IDENTITY
from simulation.fraud.self_dealing import TYPOLOGY as SELF_DEALING
from simulation.fraud.takeover import TYPOLOGY as TAKEOVER
from simulation.population import DAY_MS, HOUR_MS
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream

POST, ACCOUNT, THREAD = "job_post", "account", "thread"
SCAM = "scam"
FAKE_REVIEWS, NOT_THE_PERSON = "fake_reviews", "not_the_person"
_OF_FRAUD = (SCAM, FAKE_REVIEWS, NOT_THE_PERSON)
_GRUDGES = ("spam", "low_pay", "rude", SCAM)


def user_reports(
    settings: SimulationSettings, people: Columns, payments: Columns, posts: Columns, messages: Columns
) -> Columns:
    """Return the reports in order of time; ``target`` is a number of the kind that ``target_type`` names."""
    rng = stream(settings.seed, "user reports")
    rows = stack(
        [
            _of_scams(rng, settings, posts),
            _of_honest_posts(rng, posts),
            _of_hijacks(rng, payments),
            _of_payers(rng, payments),
            _of_threads(rng, settings, messages),
            _of_betrayal(rng, payments),
            _of_payees(rng, payments, SELF_DEALING, 0.5, FAKE_REVIEWS, (2.0, 30.0)),
            _of_payees(rng, payments, RENTED_IDENTITY, 0.4, NOT_THE_PERSON, (14.0, 180.0)),
        ]
    )
    nobody = rows["reporter"] < 0
    readers = _readers(rng, people, rows["ms"], rows["about"])
    rows["reporter"] = np.where(nobody, readers, rows["reporter"])
    known = people["signup_ms"][rows["reporter"]] < rows["ms"]
    rows = take(rows, known & (rows["ms"] < settings.end_ms))
    rows = take(rows, np.argsort(rows["ms"], kind="stable"))
    return rows | {"report": np.arange(size(rows))}


def accusations(reports: Columns, disputes: Columns) -> Columns:
    """Return when which account was accused of fraud, by a dispute or by a report."""
    denied = disputes["reason_code"] == "fraud"
    told = np.isin(reports["reason_code"], _OF_FRAUD)
    return {
        "account": np.concatenate([disputes["payer"][denied], reports["about"][told]]),
        "ms": np.concatenate([disputes["ms"][denied], reports["ms"][told]]),
    }


def _report(kind: str, target: Array, about: Array, ms: Array, reason: Array, reporter: Array) -> Columns:
    return {
        "target_type": np.full(len(target), kind),
        "target": target,
        "about": about,
        "ms": ms.astype(np.int64),
        "reason_code": reason.astype("<U14"),
        "reporter": reporter,
    }


def _of_posts(posts: Columns, delay_ms: Array, reason: Array) -> Columns:
    someone = np.full(size(posts), -1)
    return _report(POST, posts["post"], posts["client"], posts["ms"] + delay_ms, reason, someone)


def _of_scams(rng: np.random.Generator, settings: SimulationSettings, posts: Columns) -> Columns:
    """Report most soliciting posts one to four times, 2 to 48 hours after they appear."""
    scams = take(posts, posts["is_fraud"])
    noticed = ~happens(rng, settings.fraud.never_reported, size(scams))
    times = np.where(noticed, rng.integers(1, 5, size(scams)), 0)
    rows = take(scams, np.repeat(np.arange(size(scams)), times))
    reason = choice(rng, (SCAM, "spam", "off_platform"), (60, 15, 25), size(rows))
    return _of_posts(rows, rng.uniform(2.0, 48.0, size(rows)) * HOUR_MS, reason)


def _of_honest_posts(rng: np.random.Generator, posts: Columns) -> Columns:
    """Report a few honest posts, some of them as scams by mistake."""
    honest = take(posts, ~posts["is_fraud"])
    rows = take(honest, happens(rng, 0.008, size(honest)))
    reason = choice(rng, _GRUDGES, (30, 35, 10, 25), size(rows))
    return _of_posts(rows, rng.lognormal(3.0, 1.0, size(rows)) * HOUR_MS, reason)


def _of_hijacks(rng: np.random.Generator, payments: Columns) -> Columns:
    """Report six in ten accounts that were taken over, by their owners after one to seven days."""
    taken = take(payments, (payments["typology"] == TAKEOVER) & payments["approved"])
    owner, first = np.unique(taken["payer"], return_index=True)
    tells: Flags = happens(rng, 0.6, len(owner))
    owner, at = owner[tells], taken["ms"][first[tells]]
    at = at + (rng.uniform(1.0, 7.0, len(owner)) * DAY_MS).astype(np.int64)
    return _report(ACCOUNT, owner, owner, at, np.full(len(owner), "hijacked"), owner)


def _of_payers(rng: np.random.Generator, payments: Columns) -> Columns:
    """Report some clients by freelancers who quarrel with them."""
    rows = take(payments, payments["approved"] & happens(rng, 0.003, size(payments)))
    reason = choice(rng, _GRUDGES, (15, 40, 40, 5), size(rows))
    at = rows["ms"] + (rng.exponential(6.0, size(rows)) * DAY_MS).astype(np.int64)
    return _report(ACCOUNT, rows["payer"], rows["payer"], at, reason, rows["payee"])


def _of_betrayal(rng: np.random.Generator, payments: Columns) -> Columns:
    """Report half of the freelancers who took money for nothing (T9), by those who paid, after 5 to 30 days."""
    paid = take(payments, payments["is_fraud"] & (payments["typology"] == NON_DELIVERY))
    rows = take(paid, happens(rng, 0.3, size(paid)))
    at = rows["ms"] + (rng.uniform(5.0, 30.0, size(rows)) * DAY_MS).astype(np.int64)
    return _report(ACCOUNT, rows["payee"], rows["payee"], at, np.full(size(rows), SCAM), rows["payer"])


def _of_payees(
    rng: np.random.Generator,
    payments: Columns,
    typology: str,
    share: float,
    reason: str,
    days: tuple[float, float],
) -> Columns:
    """Report a share of the freelancers of a typology, by others who see their work, days after the first pay."""
    paid = take(payments, payments["typology"] == typology)
    payee, first = np.unique(paid["payee"], return_index=True)
    tells: Flags = happens(rng, share, len(payee))
    payee, at = payee[tells], paid["ms"][first[tells]]
    at = at + (rng.uniform(*days, len(payee)) * DAY_MS).astype(np.int64)
    return _report(ACCOUNT, payee, payee, at, np.full(len(payee), reason), np.full(len(payee), -1))


def _of_threads(rng: np.random.Generator, settings: SimulationSettings, messages: Columns) -> Columns:
    """Report some swindles by their victims after 3 to 30 days, and a few honest threads."""
    _, first = np.unique(messages["thread"], return_index=True)
    opened = take(messages, first)
    told = np.where(opened["is_fraud"], 1.0 - settings.fraud.swindles_unreported, 0.001)
    rows = take(opened, happens(rng, told, size(opened)))
    days = np.where(rows["is_fraud"], rng.uniform(3.0, 30.0, size(rows)), rng.exponential(4.0, size(rows)))
    at = rows["ms"] + (days * DAY_MS).astype(np.int64)
    reason = np.where(rows["is_fraud"], SCAM, choice(rng, _GRUDGES, (20, 20, 50, 10), size(rows)))
    return _report(THREAD, rows["thread"], rows["sender"], at, reason, rows["recipient"])


def _readers(rng: np.random.Generator, people: Columns, at: Ints, about: Ints) -> Ints:
    """Return a freelancer for each report: one who had signed up by then, were there any after some draws."""
    freelancers = np.flatnonzero(people["role"] != "client")
    found: Ints = rng.choice(freelancers, len(at))
    for _ in range(20):
        unfit = (people["signup_ms"][found] >= at) | (found == about)
        found[unfit] = rng.choice(freelancers, int(unfit.sum()))
    return found
