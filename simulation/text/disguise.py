"""Words that a filter should not see: spaced, leet, in look-alike letters, or split by characters without width."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.text.spinning import pick

ZERO_WIDTH = "\u200b"
_LEET = str.maketrans({"a": "@", "e": "3", "i": "1", "s": "5", "o": "0"})
# Cyrillic letters that look like Latin ones.
_LOOK_ALIKE = str.maketrans(
    {"a": "\u0430", "e": "\u0435", "o": "\u043e", "p": "\u0440", "c": "\u0441", "x": "\u0445"}
)
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
KINDS = ("plain", "spaced", "dotted", "leet", "look_alike", "zero_width")


def disguised(word: str, draws: Iterator[float]) -> str:
    """Return the word in one of six ways, its own among them."""
    kind = pick(KINDS, draws)
    if kind == "spaced":
        return " ".join(word)
    if kind == "dotted":
        return ".".join(word)
    if kind == "leet":
        return word.translate(_LEET)
    if kind == "look_alike":
        return look_alike(word)
    return word if kind == "plain" else ZERO_WIDTH.join(word)


def look_alike(word: str) -> str:
    """Return the word with Cyrillic letters for those Latin ones that look like them."""
    return word.translate(_LOOK_ALIKE)


def phone_text(number: str, draws: Iterator[float]) -> str:
    """Return a phone number in digits, in groups of them, or in words."""
    kind = pick(("digits", "grouped", "dotted", "words"), draws)
    if kind == "words":
        return " ".join(DIGITS[int(digit)] for digit in number)
    separator = {"digits": "", "grouped": " ", "dotted": "."}[kind]
    return separator.join((number[:3], number[3:6], number[6:]))
