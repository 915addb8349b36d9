"""Rows that a contract does not want although nothing is wrong with them: test traffic, other tenants, drills."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from lake.contracts.column import RawPlace


def _holds_something(fields: dict[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
    """What raw fields hold in such rows: whole values, in which ``*`` stands for any text."""
    if not fields:
        raise ValueError("no raw field is named; name one with what it holds, such as producer: monitor")
    for field, values in fields.items():
        RawPlace.of(field)
        if not all(value.strip("*") for value in values_of(values)) or not values_of(values):
            raise ValueError(f"{field} would fit any row; say what it holds in those to refuse")
    return fields


def values_of(values: str | tuple[str, ...]) -> tuple[str, ...]:
    """The values that a contract gives for a field, one or several."""
    return (values,) if isinstance(values, str) else values


Refusal = Annotated[dict[str, str | tuple[str, ...]], AfterValidator(_holds_something)]
