"""Whole numbers of 128 bits in two columns of 64: what numpy lacks, as much of it as exact sums need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.windows.intervals import Bools, Floats

Words = npt.NDArray[np.uint64]

_HALF, _LOW = np.uint64(32), np.uint64(2**32 - 1)


@dataclass(frozen=True, slots=True)
class Wide:
    """Numbers from 0 to below 2^128, as their high and low 64 bits.

    Arithmetic is modulo 2^128: a number below 0 may be kept as its complement.
    """

    high: Words
    low: Words

    @classmethod
    def product(cls, one: Words, other: Words) -> Wide:
        """Of two columns of 64 bits, by halves: Knuth, The Art of Computer Programming 2, 4.3.1 M."""
        one_high, one_low = one >> _HALF, one & _LOW
        other_high, other_low = other >> _HALF, other & _LOW
        low = one_low * other_low
        middle = one_high * other_low + (low >> _HALF)
        carried = one_low * other_high + (middle & _LOW)
        high = one_high * other_high + (middle >> _HALF) + (carried >> _HALF)
        return cls(high, (carried << _HALF) | (low & _LOW))

    @classmethod
    def of_quarters(cls, quarters: list[Words]) -> Wide:
        """Σ quarter·2^(32·place), lowest first; each may have 64 bits."""
        first, second, third, fourth = quarters
        low = first + (second << _HALF)
        high = third + (fourth << _HALF) + (second >> _HALF) + (low < first)
        return cls(high, low)

    @property
    def quarters(self) -> list[Words]:
        """32 bits each, lowest first."""
        return [self.low & _LOW, self.low >> _HALF, self.high & _LOW, self.high >> _HALF]

    def times(self, factor: Words) -> Wide:
        of_low = Wide.product(self.low, factor)
        return Wide(of_low.high + self.high * factor, of_low.low)

    def minus(self, other: Wide) -> Wide:
        return Wide(self.high - other.high - (self.low < other.low), self.low - other.low)

    def plus(self, other: Wide) -> Wide:
        low = self.low + other.low
        return Wide(self.high + other.high + (low < self.low), low)

    def negated(self, where: Bools) -> Wide:
        """The complement of some of the numbers, the others as they are."""
        negative = Wide(np.zeros_like(self.high), np.zeros_like(self.low)).minus(self)
        return Wide(np.where(where, negative.high, self.high), np.where(where, negative.low, self.low))

    def rounded_signed(self) -> Floats:
        """The same as ``rounded``, of numbers from -2^127 to below 2^127."""
        is_negative = self.high >> np.uint64(63) != 0
        sizes = self.negated(is_negative).rounded()
        return np.where(is_negative, -sizes, sizes)

    def rounded(self) -> Floats:
        """The nearest doubles, ties to even: rounded once, as Python rounds its integers."""
        bits = np.frexp(self.high.astype(np.float64))[1]
        left = np.clip(64 - bits, 0, 63).astype(np.uint64)
        # The leading 64 bits, the last of them saying whether anything follows, round like the whole number.
        leading = (self.high << left) | ((self.low >> np.uint64(1)) >> (np.uint64(63) - left))
        leading |= (self.low << left) != 0
        large = np.ldexp(leading.astype(np.float64), 64 - left.astype(np.int64))
        found: Floats = np.where(self.high == 0, self.low.astype(np.float64), large)
        return found
