"""Addresses that are no public IPv4 address: of a private network, of IPv6, or cut off."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns

PRIVATE = ("10.", "172.16.", "192.168.")


def spoil_addresses(rng: np.random.Generator, body: Columns, hit: Array, field: str) -> None:
    """Put a third of each kind where ``hit`` is true; only one that was cut off is no address any more."""
    values = body[field].astype(object)
    for row in np.flatnonzero(hit).tolist():
        values[row] = _spoiled(rng, str(values[row]))
    body[field] = values


def _spoiled(rng: np.random.Generator, address: str) -> str:
    kind = rng.integers(3)
    if kind == 0:
        parts = [str(part) for part in rng.integers(1, 255, 3)]
        network = str(rng.choice(PRIVATE))
        return network + ".".join(parts[: 4 - network.count(".")])
    if kind == 1:
        return "2001:db8:" + ":".join(f"{part:x}" for part in rng.integers(0, 1 << 16, 6).tolist())
    return address[: address.rindex(".") - int(rng.integers(2))]
