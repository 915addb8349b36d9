"""Randomness that depends on the seed and a name alone, never on order, process or machine."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from simulation.columns import Array, Flags, Ints


def stream(seed: int, name: str, *numbers: int) -> np.random.Generator:
    """Return the generator of one named purpose; ``numbers`` split it further, as by day."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), *numbers])


def mixed(numbers: Array, salt: str) -> Ints:
    """Scramble whole numbers to non-negative 62-bit ones: equal input and salt, equal output (splitmix64)."""
    state = numbers.astype(np.uint64) + np.uint64(zlib.crc32(salt.encode()) * 0x9E3779B9)
    state = (state + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state = state ^ (state >> np.uint64(31))
    scrambled: Ints = (state >> np.uint64(2)).astype(np.int64)
    return scrambled


def choice(rng: np.random.Generator, options: Sequence[str], weights: Sequence[float], count: int) -> Array:
    """Draw ``count`` options with the given weights, which need not add up to 1."""
    shares = np.asarray(weights, dtype=float)
    drawn: Array = np.array(options)[rng.choice(len(options), size=count, p=shares / shares.sum())]
    return drawn


def happens(rng: np.random.Generator, share: float | Array, count: int) -> Flags:
    """Draw ``count`` truths, each with the probability ``share`` (one for all, or one each)."""
    drawn: Flags = rng.random(count) < share
    return drawn


def belongs(numbers: Array, salt: str, share: float) -> Flags:
    """Tell for each number whether it is among the ``share`` picked under this salt, for ever the same."""
    return mixed(numbers, salt) % 100_000 < int(share * 100_000)
