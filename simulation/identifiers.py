"""Identifiers as the logs show them: opaque, so that no number tells when or by whom a thing was made."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Ints
from simulation.streams import mixed


def opaque(prefix: str, seed: int, numbers: Array) -> Array:
    """Return text such as ``acc_03f9a1c2b4d57e88`` for entity numbers; equal numbers give equal text."""
    scrambled = mixed(numbers, f"{prefix}:{seed}")
    return np.array([f"{prefix}_{number:016x}" for number in scrambled.tolist()])


def event_ids(at_ms: Ints, rng: np.random.Generator) -> Array:
    """Return one UUIDv7 per event: 48 bits of its time in milliseconds, then drawn bits."""
    high = rng.integers(0, 1 << 12, size=len(at_ms)).tolist()
    low = rng.integers(0, 1 << 62, size=len(at_ms)).tolist()
    ids = []
    for at, a, b in zip(at_ms.tolist(), high, low, strict=True):
        number = (at & 0xFFFFFFFFFFFF) << 80 | 7 << 76 | a << 64 | 2 << 62 | b
        text = f"{number:032x}"
        ids.append(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")
    return np.array(ids)


def ip_text(addresses: Array) -> Array:
    """Return dotted IPv4 text for 32-bit numbers."""
    return np.array([f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}" for a in addresses.tolist()])


def iso_text(at_ms: Ints) -> Array:
    """Return ISO-8601 UTC text with milliseconds for epoch milliseconds."""
    text: Array = np.char.add(np.datetime_as_string(at_ms.astype("datetime64[ms]"), unit="ms"), "Z")
    return text
