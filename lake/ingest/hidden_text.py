"""The text of refused rows with hashes in the place of personal values: all else stays as it was delivered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from pyspark.sql import Column
from pyspark.sql.pandas.functions import pandas_udf

from lake.contracts import Contract
from lake.hash_key import HIDDEN, UNFIT, HashKey

Hide = Callable[[str], str]

# A value in JSON up to where it ends, or up to the end of a line that was cut off in it; of a list or an object, all
# the rest of the line.
_LITERAL = r"""("(?:[^"\\]|\\.)*(?:"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$)|[\[{].*$|[^\s,}\]]+)"""
_SAYS_NOTHING = {"null", "true", "false"}


@dataclass(frozen=True, slots=True)
class PersonalPlace:
    """Where rows hold a personal value: the names on the way to it, what stands there for no person, what fits."""

    names: tuple[str, ...]
    plain: frozenset[str]
    fits: str | None = None

    def hidden(self, value: str, hide: Hide) -> str:
        """The hash that takes the value's place, marked where a pattern refuses the value."""
        if re.fullmatch(HIDDEN, value):
            return hide(value)
        is_fit = self.fits is None or re.fullmatch(self.fits, value)
        return hide(value) if is_fit else UNFIT + hide(value)

    @property
    def named(self) -> re.Pattern[str]:
        return re.compile(rf"""((["']){re.escape(self.names[-1])}\2\s*:\s*){_LITERAL}""", re.DOTALL)


def personal_places(contract: Contract) -> tuple[PersonalPlace, ...]:
    """Every place where a row of any version may hold a personal value."""
    found = []
    for name, column in contract.columns.items():
        if column.personal:
            meant = [value for reading in (column, *column.older) for value in reading.means]
            plain = frozenset({*column.unknown, *meant})
            found += [PersonalPlace(place.names, plain, column.pattern) for place in column.places(name)]
    return tuple(found)


def hidden_text(text: Column, contract: Contract, key: HashKey, *, again: bool = False) -> Column:
    """The text of rows of JSON with every personal value hashed as parsing would hash it.

    Args:
        again: the texts come from the quarantine, and hold hashes already.
    """
    places = personal_places(contract)

    def hide(value: str) -> str:
        return value if again and re.fullmatch(HIDDEN, value) else key.hashed(value)

    def hide_all(lines: pd.Series) -> pd.Series:
        return lines.map(lambda line: hidden_line(line, places, hide), na_action="ignore")

    hidden: Column = pandas_udf(hide_all, "string")(text)  # type: ignore[call-overload]  # it takes text too
    return hidden


def hidden_line(line: str, places: Sequence[PersonalPlace], hide: Hide) -> str:
    """One line of JSON, whole or not, without its personal values.

    Of a line that is no object nothing says what stands where: the value of every field called like the last name of
    a place goes.
    """
    row = _object(line)
    for place in places:
        found = None if row is None else _found(row, place, places)
        if row is None or found is not None:
            line = _replaced(line, place, found, hide)
    return line if row is None else _without_rest(line, places, hide)


def _replaced(line: str, place: PersonalPlace, wanted: str | None, hide: Hide) -> str:
    """The line with fields called like the place hidden: all, or those that hold the value that is wanted."""

    def replace(match: re.Match[str]) -> str:
        value = _decoded(match[3])
        is_kept = (
            value in place.plain or match[3] in _SAYS_NOTHING or (wanted is not None and value != wanted)
        )
        return match[0] if is_kept else match[1] + json.dumps(place.hidden(value, hide))

    return place.named.sub(replace, line)


def _without_rest(line: str, places: Sequence[PersonalPlace], hide: Hide) -> str:
    """The line written anew where a value is still there, being worded in a way that no pattern finds."""
    row, is_changed = _object(line), False
    for place in places:
        value = None if row is None else _found(row, place, places)
        if row is not None and value is not None and not re.fullmatch(HIDDEN, value):
            _put(row, place, place.hidden(value, hide))
            is_changed = True
    return json.dumps(row, ensure_ascii=False) if is_changed else line


def _object(line: str) -> dict[str, object] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _found(row: dict[str, object], place: PersonalPlace, places: Sequence[PersonalPlace]) -> str | None:
    """The value at a place; None where nothing personal is there, or only what another place looks into."""
    value: object = row
    for depth, name in enumerate(place.names):
        if isinstance(value, str):
            return value if depth else None
        value = value.get(name) if isinstance(value, dict) else None
    deeper = any(
        len(o.names) > len(place.names) and o.names[: len(place.names)] == place.names for o in places
    )
    if value is None or isinstance(value, bool) or (isinstance(value, dict) and deeper):
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return None if text in place.plain else text


def _put(row: dict[str, object], place: PersonalPlace, text: str) -> None:
    """Put a text at the place, or above it where a text is what stands there."""
    inside = row
    for name in place.names[:-1]:
        deeper = inside[name]
        if not isinstance(deeper, dict):
            inside[name] = text
            return
        inside = deeper
    inside[place.names[-1]] = text


def _decoded(literal: str) -> str:
    """What a literal says; of one that was cut off, as far as it goes."""
    if literal[0] not in "\"'":
        return literal
    inner = literal[1:-1] if len(literal) > 1 and literal[-1] == literal[0] else literal[1:]
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        return inner
