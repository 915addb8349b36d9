"""Exact spreads against Python's integers, at every size of number."""

from __future__ import annotations

import random

import numpy as np
import pytest

from features.windows.exact import Carried, Spread
from features.windows.intervals import Alive
from features.windows.wide import Wide


def words(numbers: list[int]) -> Wide:
    parts = [[number >> 64 for number in numbers], [number % 2**64 for number in numbers]]
    high, low = (np.array(part, dtype=np.uint64) for part in parts)
    return Wide(high, low)


def whole(wide: Wide) -> list[int]:
    return [
        int(high) * 2**64 + int(low) for high, low in zip(wide.high.tolist(), wide.low.tolist(), strict=True)
    ]


def numbers(dice: random.Random, bits: int) -> list[int]:
    """Of every length, and those next to powers of two and to ties between two doubles."""
    edges = [2**bit + near for bit in range(2, bits) for near in (-1, 0, 1)]
    ties = [
        (2**53 + odd) * 2**bit + near for bit in range(1, bits - 54) for odd in (1, 2, 3) for near in (0, 1)
    ]
    found = [*edges, *ties, 0, 1, 2**bits - 1, *(dice.getrandbits(dice.randint(1, bits)) for _ in range(500))]
    dice.shuffle(found)
    return found


def test_numbers_of_128_bits_round_as_pythons_do() -> None:
    some = numbers(random.Random(1), 128)
    assert words(some).rounded().tolist() == [float(number) for number in some]


def test_numbers_of_128_bits_compute_as_pythons_do() -> None:
    some, others = numbers(random.Random(2), 128), numbers(random.Random(3), 128)
    factors = np.array([other % 2**64 for other in others], dtype=np.uint64)
    products = Wide.product(words(some).low, factors)
    assert whole(products) == [a % 2**64 * (b % 2**64) for a, b in zip(some, others, strict=True)]
    assert whole(words(some).times(factors)) == [
        a * (b % 2**64) % 2**128 for a, b in zip(some, others, strict=True)
    ]
    assert whole(words(some).minus(words(others))) == [
        (a - b) % 2**128 for a, b in zip(some, others, strict=True)
    ]
    assert whole(Wide.of_quarters(words(some).quarters)) == some


@pytest.mark.parametrize(
    ("bits", "is_carried"),
    [
        *((bits, False) for bits in (8, 20, 31, 40, 52, 59, 62)),
        *((bits, True) for bits in (8, 20, 31, 40, 52, 59)),
    ],
)
def test_a_spread_is_exact_whatever_the_size_of_its_values(bits: int, *, is_carried: bool) -> None:
    dice = random.Random(bits)
    size, probes = 60, np.arange(1, 100, dtype=np.int64)
    starts = [dice.randrange(100) for _ in range(size)]
    ends = [start + dice.randrange(60) for start in starts]
    low = 0 if dice.random() < 0.5 else 2 ** (bits - 1)
    members = [
        [
            dice.choice([-1, 1]) * (low + dice.getrandbits(bits - 1))
            for _ in range(dice.randint(1, 4) if is_carried else 1)
        ]
        for _ in range(size)
    ]
    own = np.array([one[0] if len(one) == 1 else 0 for one in members], dtype=np.int64)
    carried = None
    if is_carried:
        summed = [one if len(one) > 1 else [] for one in members]
        squares = [sum(value * value for value in one) for one in summed]
        carried = Carried(
            np.array([sum(one) for one in summed], dtype=np.int64),
            np.array([square >> 62 for square in squares], dtype=np.int64),
            np.array([square % 2**62 for square in squares], dtype=np.int64),
        )
    alive = Alive.of(np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64), probes)
    held = [
        [
            value
            for one, start, end in zip(members, starts, ends, strict=True)
            if start < at <= end
            for value in one
        ]
        for at in probes.tolist()
    ]
    counts = np.array([len(one) for one in held], dtype=np.int64)
    expected = [float(len(one) * sum(value * value for value in one) - sum(one) ** 2) for one in held]
    assert Spread(own, carried).squared_deviation(alive, counts).tolist() == expected
