"""Text of proposals and of the messages of one thread."""

from __future__ import annotations

from collections.abc import Iterator

from simulation.text.disguise import disguised
from simulation.text.job_words import APPS
from simulation.text.letter_words import (
    CLIENT_SAYS,
    FREELANCER_SAYS,
    HONEST_LIKE_SWINDLES,
    ITEMS,
    LETTERS,
    LINKS,
    SWINDLE,
    SWINDLED_SAY,
)
from simulation.text.spinning import pick, spin

_LANGUAGE_OF = {"BR": ("pt", 0.5), "IN": ("hi_latin", 0.1)}
_SPANISH_SHARE = 0.03


def letter_language(country: str, draws: Iterator[float]) -> str:
    """Return the language a freelancer of that country writes proposals in: mostly English anyway."""
    language, share = _LANGUAGE_OF.get(country, ("es", _SPANISH_SHARE))
    return language if next(draws) < share else "en"


def letter_template(country: str, draws: Iterator[float]) -> str:
    """Return a freelancer's usual letter, in which a choice or two are left open."""
    phrase = pick(LETTERS[letter_language(country, draws)], draws)
    head, separator, tail = phrase.partition(". ")
    return spin(head, draws) + separator + tail


def honest_message(draws: Iterator[float], *, from_client: bool, look_alike: bool) -> str:
    """Return what one side of a contract writes; a look-alike speaks of equipment, cheques or calls elsewhere."""
    if look_alike:
        return spin(pick(HONEST_LIKE_SWINDLES, draws), draws)
    return spin(pick(CLIENT_SAYS if from_client else FREELANCER_SAYS, draws), draws)


def swindle(draws: Iterator[float]) -> list[str]:
    """Return the messages of a swindler's thread, his and the answers in turn: he leads elsewhere with his third."""
    item, link = pick(ITEMS, draws), pick(LINKS, draws)
    said: list[str] = []
    for phrase in SWINDLE[int(next(draws) * len(SWINDLE))]:
        filled = phrase.replace("{ITEM}", item).replace("{LINK}", link)
        said.append(spin(filled.replace("{APP}", disguised(pick(APPS, draws), draws)), draws))
        said.append(spin(pick(SWINDLED_SAY, draws), draws))
    return said[:-1]
