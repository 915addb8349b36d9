"""Values in a declaration that are not of the type it takes: a text for a measure, a list within a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from features.declare import Declared

_checked_by: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def wrong_types(declaration: Any, where: str = "") -> Iterator[str]:
    """The mistakes of a declaration and of all that it holds, each with file and line.

    Args:
        declaration: an instance of a dataclass.
        where: file and line of what holds it, for what does not know its own.
    """
    kind = type(declaration)
    place, hints = str(getattr(declaration, "declared", where)), get_type_hints(kind)
    for one in fields(declaration):
        value = getattr(declaration, one.name)
        try:
            _checked_by(hints[one.name]).validate_python(value, strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False)[0]["input"]
            yield f"{place}: {one.name} of {kind.__name__} takes {one.type}; found {found!r}"
        else:
            for held in _held(value):
                yield from wrong_types(held, place)


def _held(value: object) -> Iterator[Any]:
    several = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    for one in several:
        if is_dataclass(one) and not isinstance(one, Declared):
            yield one
