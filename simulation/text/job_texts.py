"""Title and description of job posts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simulation.text.disguise import disguised, phone_text
from simulation.text.job_words import APPS, HONEST, LOOK_ALIKES, SOLICITING, TITLES
from simulation.text.spinning import pick, spin

# By country: the language that some of its clients write in, and how many do.
_LANGUAGE_OF = {"BR": ("pt", 0.6), "FR": ("fr", 0.6), "IN": ("hi_latin", 0.12)}
_SPANISH_SHARE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Pitch:
    """What the posts of one campaign have in common: a phrase, a messenger, a phone number and a name there."""

    language: str
    phrase: str
    app: str
    phone: str
    handle: str


def language_of(country: str, draws: Iterator[float]) -> str:
    """Return the language a client of that country writes in: mostly English anyway."""
    language, share = _LANGUAGE_OF.get(country, ("es", _SPANISH_SHARE))
    return language if next(draws) < share else "en"


def title(category: str, draws: Iterator[float]) -> str:
    """Return a title that fits the category."""
    return spin(TITLES[category], draws)


def honest_description(country: str, draws: Iterator[float], *, look_alike: bool) -> str:
    """Return what an honest client writes; a look-alike speaks of messengers, phones or easy work."""
    if look_alike:
        return spin(pick(LOOK_ALIKES, draws), draws)
    return spin(pick(HONEST[language_of(country, draws)], draws), draws)


def new_pitch(draws: Iterator[float]) -> Pitch:
    """Return the pitch of a new campaign."""
    language = pick(("en", "en", "en", *SOLICITING), draws)
    phone = "".join(str(int(next(draws) * 10)) for _ in range(10))
    return Pitch(
        language=language,
        phrase=pick(SOLICITING[language], draws),
        app=pick(APPS, draws),
        phone=phone,
        handle="@" + pick(("hr", "work", "jobs", "desk"), draws) + phone[-4:],
    )


def soliciting_description(pitch: Pitch, draws: Iterator[float]) -> str:
    """Return a near duplicate of the campaign's other posts: other choices, another disguise, the same phone."""
    phrase = pitch.phrase.replace("{APP}", disguised(pitch.app, draws))
    phrase = phrase.replace("{PHONE}", phone_text(pitch.phone, draws))
    return spin(phrase.replace("{HANDLE}", pitch.handle), draws)
