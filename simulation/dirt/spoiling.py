"""Fields that dirt changes: each row's own kind is put into its values."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns
from simulation.dirt.addresses import spoil_addresses
from simulation.dirt.broken_text import break_texts
from simulation.streams import stream
from simulation.words import Records

_MARK = "\ufeff"


def spoil(rng: np.random.Generator, seed: int, body: Columns, dirt: Array, source: Records) -> None:
    """Put the dirt of every row into the fields of the lines."""
    _put(rng, body, dirt == "bad_timestamp", "event_ts", ("not-a-time", ""))
    body["event_id"][dirt == "missing_key"] = None
    if source.device_field is not None:
        _put(rng, body, dirt == "sentinel_device", source.device_field, ("unknown", "", "00000000"))
        body[source.device_field][dirt == "missing_device"] = None
    if source.ip_field is not None:
        own = stream(seed, f"addresses:{source.log}")
        spoil_addresses(own, body, dirt == "bad_address", source.ip_field)
        body[source.ip_field][dirt == "missing_ip"] = None
    if source.member_field is not None:
        own = stream(seed, f"orphans:{source.log}")
        _put_strangers(own, body, dirt == "orphan", source.member_field)
    wrong = np.flatnonzero(dirt == "ledger_imbalance")
    if len(wrong):
        body["amount_minor"] = body["amount_minor"].copy()
        body["amount_minor"][wrong] += rng.integers(1, 500, len(wrong))
    if "amount" in body:
        _put(rng, body, dirt == "bad_currency", "currency", ("US$", "XXX", "usd "))
        for row in np.flatnonzero(dirt == "money_as_text").tolist():
            body["amount"][row] = _worded(body["amount"][row])
    if source.text_field is not None:
        text = body[source.text_field]
        body[source.text_field] = np.where(dirt == "byte_order_mark", _MARK + text, text)
        break_texts(stream(seed, f"texts:{source.log}"), body, dirt == "broken_text", source.text_field)


def _put(rng: np.random.Generator, body: Columns, hit: Array, field: str, options: tuple[str, ...]) -> None:
    """Put one of the options, drawn for each row, where ``hit`` is true."""
    values = body[field].astype(object)
    values[hit] = rng.choice(np.array(options, dtype=object), int(hit.sum()))
    body[field] = values


def _put_strangers(rng: np.random.Generator, body: Columns, hit: Array, field: str) -> None:
    """Put accounts that were deleted, and of which nothing else tells, where ``hit`` is true."""
    values = body[field].astype(object)
    values[hit] = [f"acc_{number:012x}" for number in rng.integers(0, 1 << 48, int(hit.sum())).tolist()]
    body[field] = values


def _worded(amount: str) -> str:
    """Return '1,234.50' for 1234.50 and, where there is no thousand to separate, '34,50' for 34.50."""
    whole, cents = amount.split(".")
    grouped = f"{int(whole):,}"
    return f"{grouped}.{cents}" if "," in grouped else f"{whole},{cents}"
