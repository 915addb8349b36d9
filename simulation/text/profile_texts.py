"""Text of freelancers' profiles."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.text.letters import letter_language
from simulation.text.profile_words import HEADLINES, OVERVIEWS, SKILLS
from simulation.text.spinning import pick, spin


def headline(craft: str, draws: Iterator[float]) -> str:
    """Return what somebody of that craft calls himself."""
    return spin(HEADLINES[craft], draws).strip()


def skills(craft: str, draws: Iterator[float]) -> str:
    """Return three skills of a craft, with commas between."""
    known = SKILLS[craft]
    first = int(next(draws) * len(known))
    return ", ".join(sorted(known[(first + step) % len(known)] for step in range(3)))


def overview_template(country: str, draws: Iterator[float]) -> str:
    """Return how a freelancer of that country presents himself, the last sentence left open."""
    phrase = pick(OVERVIEWS[letter_language(country, draws)], draws)
    head, separator, tail = phrase.rpartition(". ")
    return spin(head, draws) + separator + tail
