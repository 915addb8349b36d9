"""Texts that went through the wrong hands: bytes that are not UTF-8, invisible characters, look-alike letters."""

from __future__ import annotations

import numpy as np

from simulation.columns import Array, Columns
from simulation.files import raw_byte
from simulation.text.disguise import ZERO_WIDTH, look_alike


def break_texts(rng: np.random.Generator, body: Columns, hit: Array, field: str) -> None:
    """Break the texts where ``hit`` is true, in three ways that honest texts have as well as those of scammers."""
    values = body[field].astype(object)
    for row in np.flatnonzero(hit).tolist():
        values[row] = _broken(rng, str(values[row]))
    body[field] = values


def _broken(rng: np.random.Generator, text: str) -> str:
    kind, place = rng.integers(3), int(rng.integers(1, len(text)))
    if kind == 0:
        # A letter in the encoding of old Windows, or the first two bytes of one that has three.
        lost = raw_byte(0xE9) if rng.integers(2) else raw_byte(0xE2) + raw_byte(0x82)
        return text[:place] + lost + text[place:]
    if kind == 1:
        return text[:place] + ZERO_WIDTH + text[place:]
    words = text.split(" ")
    differing = [number for number, word in enumerate(words) if look_alike(word) != word]
    if not differing:
        return text + ZERO_WIDTH
    chosen = differing[int(rng.integers(len(differing)))]
    return " ".join(look_alike(word) if number == chosen else word for number, word in enumerate(words))
