"""Disputes, one row per case: early fraud warnings, chargebacks and refund claims, up to four months on.

They are all the platform ever learns of fraud. Some frauds are never disputed, and some honest payments are
disputed as fraud by the very people who made them (friendly fraud, T12).
"""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns, size, stack, take
from simulation.fates import LONGEST_DAYS, fraud_notices
from simulation.fraud.non_delivery import TYPOLOGY as NON_DELIVERY
from simulation.fraud.self_dealing import TYPOLOGY as SELF_DEALING
from simulation.population import DAY_MS
from simulation.settings import SimulationSettings
from simulation.streams import belongs, choice, happens, stream

FRIENDLY = "T12"
_BETRAYED = ("not_received", "not_as_described")
_QUARRELS = ("not_received", "not_as_described", "duplicate", "credit_not_processed")


def mark_friendly(settings: SimulationSettings, payments: Columns) -> Columns:
    """Return the payments with typology T12 on the honest ones whose payer will dispute them as fraud.

    A fifth of the payers is five times as prone as the others.
    """
    rng = stream(settings.seed, "friendly")
    prone = np.where(belongs(payments["payer"], f"prone:{settings.seed}", 0.2), 2.8, 0.55)
    drawn = happens(rng, settings.fraud.friendly * prone, size(payments))
    friendly = drawn & payments["approved"] & ~payments["is_fraud"] & (payments["typology"] == "")
    return payments | {"typology": np.where(friendly, FRIENDLY, payments["typology"])}


def open_disputes(settings: SimulationSettings, payments: Columns, padded: Array) -> Columns:
    """Return the cases of all payments: those of frauds, of friendly fraud and of quarrels.

    Payments of the ``padded`` contracts (T10) are mostly not disputed: the client does not know.
    """
    rng = stream(settings.seed, "disputes")
    approved = take(payments, payments["approved"])
    betrayed = approved["is_fraud"] & (approved["typology"] == NON_DELIVERY)
    fraud = take(approved, approved["is_fraud"] & ~betrayed)
    content = np.isin(approved["typology"], (FRIENDLY, SELF_DEALING))
    honest = take(approved, ~approved["is_fraud"] & ~content)
    quarrels = take(honest, happens(rng, settings.fraud.other_disputes, size(honest)))
    friendly = take(approved, approved["typology"] == FRIENDLY)
    parts = [
        *_fraud_cases(settings, fraud),
        _friendly_cases(rng, friendly),
        _quarrel_cases(rng, quarrels),
        _betrayed_cases(rng, take(approved, betrayed), 0.75, (10.0, 45.0)),
        _betrayed_cases(rng, _last_of(approved, padded), settings.fraud.padding_noticed, (7.0, 30.0)),
    ]
    return stack(parts)


def _case(rows: Columns, kind: Array, reason: Array, delay_days: Array) -> Columns:
    """Return one case per payment, opened ``delay_days`` after it."""
    kept = {
        name: rows[name]
        for name in ("payment", "payer", "payee", "instrument", "device", "minor", "currency")
    }
    opened = rows["ms"] + (delay_days * DAY_MS).astype(np.int64)
    return kept | {"kind": kind, "reason_code": reason, "ms": opened, "paid_ms": rows["ms"]}


def _fraud_cases(settings: SimulationSettings, fraud: Columns) -> list[Columns]:
    """Return the warnings and the chargebacks that frauds come to."""
    told = fraud_notices(settings, fraud["contract"], fraud["ms"], fraud["typology"])
    cases = []
    for kind, days in (("efw", told["warning_days"]), ("chargeback", told["chargeback_days"])):
        rows = take(fraud, ~np.isnan(days))
        count = size(rows)
        cases.append(_case(rows, np.full(count, kind), np.full(count, "fraud"), days[~np.isnan(days)]))
    return cases


def _friendly_cases(rng: np.random.Generator, rows: Columns) -> Columns:
    """Return chargebacks called fraud, one to four months after an honest payment."""
    count = size(rows)
    days = rng.lognormal(np.log(45.0), 0.45, count).clip(10.0, LONGEST_DAYS)
    kind = choice(rng, ("chargeback", "refund_claim"), (80, 20), count)
    return _case(rows, kind, np.full(count, "fraud"), days)


def _quarrel_cases(rng: np.random.Generator, rows: Columns) -> Columns:
    """Return refund claims and chargebacks about delivery or quality."""
    count = size(rows)
    days = rng.lognormal(np.log(18.0), 0.6, count).clip(1.0, LONGEST_DAYS)
    kind = choice(rng, ("refund_claim", "chargeback"), (65, 35), count)
    return _case(rows, kind, choice(rng, _QUARRELS, (35, 40, 10, 15), count), days)


def _last_of(approved: Columns, contract: Array) -> Columns:
    """Return the last approved payment of each of these contracts."""
    of = np.flatnonzero(np.isin(approved["contract"], contract) & (approved["typology"] == ""))
    of = of[np.lexsort((approved["ms"][of], approved["contract"][of]))]
    number = approved["contract"][of]
    return take(approved, of[np.append(number[1:] != number[:-1], np.ones(min(1, len(of)), dtype=bool))])


def _betrayed_cases(
    rng: np.random.Generator, rows: Columns, share: float, days: tuple[float, float]
) -> Columns:
    """Return claims and chargebacks of ``share`` of the clients who paid for nothing, within so many days."""
    told = take(rows, happens(rng, share, size(rows)))
    count = size(told)
    kind = choice(rng, ("refund_claim", "chargeback"), (60, 40), count)
    return _case(told, kind, choice(rng, _BETRAYED, (70, 30), count), rng.uniform(*days, count))
