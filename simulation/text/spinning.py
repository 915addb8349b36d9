"""Phrases with choices: ``{need|want} a {logo|{web|mobile} page}`` stands for six sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

_INNERMOST = re.compile(r"\{([^{}]*)\}")
_DRAWS = 1024


def luck(rng: np.random.Generator) -> Iterator[float]:
    """Draw numbers below 1 for ever, many at a time."""
    while True:
        yield from rng.random(_DRAWS).tolist()


def pick(options: tuple[str, ...], draws: Iterator[float]) -> str:
    """Return one of the options."""
    return options[int(next(draws) * len(options))]


def spin(phrase: str, draws: Iterator[float]) -> str:
    """Return the phrase with one choice made in every pair of braces, inner ones first."""
    while _INNERMOST.search(phrase):
        phrase = _INNERMOST.sub(lambda found: pick(tuple(found[1].split("|")), draws), phrase)
    return phrase
