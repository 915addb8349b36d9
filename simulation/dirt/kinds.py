"""The kinds of dirt, the logs they suit, and the rows that are drawn to carry them: one kind at most."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Ints
from simulation.dirt.missing_values import missing_device_share, missing_ip_share
from simulation.dirt.outage import held_back
from simulation.settings import SimulationSettings
from simulation.streams import choice, happens, stream
from simulation.words import OLD_APP, OLD_APP_SHARE, Records

HOUR_MS = 3_600_000
_SOURCE_ONLY = ("clock_skew", "hour_off", "year_off", "bad_timestamp")
_MONEY_ONLY = ("bad_currency", "money_as_text")
_TIME_ONLY = ("late_arrival", "very_late_arrival", "clock_skew")
_DRAWN_AT_ONCE = (
    "exact_duplicate",
    "late_arrival",
    "very_late_arrival",
    "clock_skew",
    "bad_currency",
    "money_as_text",
    "bad_timestamp",
    "missing_key",
    "truncated_line",
    "out_of_order_change",
    "ledger_imbalance",
    "byte_order_mark",
)
# Each of these has a stream of its own and takes only clean rows: a new one leaves the dirt there was as it was.
_DRAWN_APART = (
    "near_duplicate",
    "bad_address",
    "orphan",
    "missing_device",
    "missing_ip",
    "broken_text",
    "hour_off",
    "year_off",
)
# Lines on top of the others.
_ADDED = ("test_traffic", "replayed_day")
KINDS = (*_DRAWN_AT_ONCE, "sentinel_device", *_DRAWN_APART, "producer_outage", *_ADDED)
_OF_SOME_LOGS = ("out_of_order_change", "ledger_imbalance")


def draw_kinds(
    rng: np.random.Generator, settings: SimulationSettings, source: Records, rows: Ints, old: Array
) -> Array:
    """Return the kind of dirt of each of the given rows, "" for a clean one; ``old`` rows are of before the period."""
    dirt = _drawn_at_once(rng, settings, source, rows, old)
    for kind in _DRAWN_APART:
        if suits(kind, source):
            own = stream(settings.seed, f"{kind}:{source.log}")
            hit = happens(own, _share(kind, settings, source, rows), len(rows))
            dirt = np.where((dirt == "") & hit, kind, dirt)
    return _with_outage(settings, source, rows, dirt)


def _with_outage(settings: SimulationSettings, source: Records, rows: Ints, dirt: Array) -> Array:
    """Let rows that were held back carry nothing else."""
    if not suits("producer_outage", source):
        return dirt
    return np.where(held_back(settings, source, rows), "producer_outage", dirt)


def _share(kind: str, settings: SimulationSettings, source: Records, rows: Ints) -> float | Array:
    if kind == "missing_device":
        return missing_device_share(settings, source, rows)
    if kind == "missing_ip":
        return missing_ip_share(settings, source, rows)
    return float(getattr(settings.dirt, kind))


def _drawn_at_once(
    rng: np.random.Generator, settings: SimulationSettings, source: Records, rows: Ints, old: Array
) -> Array:
    kinds = [kind for kind in _DRAWN_AT_ONCE if suits(kind, source)]
    producer = source.producer[rows]
    shares = [float(getattr(settings.dirt, kind)) for kind in kinds]
    dirt = choice(rng, ("", *kinds), (1.0 - sum(shares), *shares), len(producer)).astype("<U20")
    dirt = np.where(old & np.isin(dirt, _TIME_ONLY), "", dirt)
    if source.next_ms is not None:
        changes_soon = source.next_ms[rows] - source.event_ms[rows]
        fits = (changes_soon > 0) & (changes_soon < HOUR_MS // 3) & ~old
        dirt = np.where((dirt == "out_of_order_change") & ~fits, "", dirt)
    if source.device_field is None:
        return dirt
    share = np.where(producer == OLD_APP, settings.dirt.sentinel_device / OLD_APP_SHARE, 0.0)
    return np.where((dirt == "") & happens(rng, share, len(dirt)), "sentinel_device", dirt)


def suits(kind: str, source: Records) -> bool:
    """Tell whether a kind of dirt can occur in this log."""
    if source.dirt is not None:
        return kind in source.dirt
    if kind in _OF_SOME_LOGS:
        return False
    if kind in _MONEY_ONLY:
        return "amount" in source.fields
    needs = {
        "byte_order_mark": source.text_field is not None,
        "sentinel_device": source.device_field is not None,
        "near_duplicate": source.is_retried,
        "bad_address": source.ip_field is not None,
        "orphan": source.member_field is not None,
        "missing_device": source.device_field is not None,
        "missing_ip": source.ip_field is not None,
        "broken_text": source.text_field is not None,
        "producer_outage": not source.from_server,
        "test_traffic": not source.from_server,
    }
    return needs.get(kind, not (source.from_server and kind in _SOURCE_ONLY))
