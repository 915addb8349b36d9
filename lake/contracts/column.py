"""One column of a contract: where its raw value stands, and what it must be to be accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator
from pyspark.sql.types import DataType, DecimalType, NumericType

from lake.contracts.types import TYPE_PATTERN, spark_type
from lake.documents import Strict

MAX_DIGITS = 38

_PATH = re.compile(r"^\$\.([^.\[\]]+)((?:\.[^.\[\]]+)+)$")


@dataclass(frozen=True, slots=True)
class RawPlace:
    """Where a raw value stands: in a raw column, or at ``path`` in the object that it holds."""

    column: str
    path: str | None = None

    @classmethod
    def of(cls, text: str) -> RawPlace:
        """The place that a contract names: a raw column, or ``$.column.field``.

        Raises:
            ValueError: it begins like a path and is none.
        """
        match = _PATH.fullmatch(text)
        if match is None and text.startswith("$."):
            raise ValueError(f"{text} is no path; write $.column.field, or the name of a raw column alone")
        return cls(match[1], "$" + match[2]) if match else cls(text)

    @property
    def names(self) -> tuple[str, ...]:
        """The names on the way to it, the raw column first."""
        return (
            (self.column,) if self.path is None else (self.column, *self.path.removeprefix("$.").split("."))
        )

    def __str__(self) -> str:
        return self.column if self.path is None else f"$.{self.column}{self.path.removeprefix('$')}"


def places(named: str | tuple[str, ...]) -> tuple[RawPlace, ...]:
    """The places that a contract names, the one that counts first."""
    return tuple(map(RawPlace.of, (named,) if isinstance(named, str) else named))


def _are_places(named: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if not places(named):
        raise ValueError("an empty list names no raw column; name one, or leave it out")
    return named


Named = Annotated[str | tuple[str, ...], AfterValidator(_are_places)]


class Reading(Strict):
    """How the raw value of a column is worded.

    Attributes:
        source: where it stands, if not under the column's own name; of several places, which older and newer
            producers fill, the first with a value counts.
        means: raw values, trimmed, that stand for others: old names, and slips that leave no doubt.
        thousands: what may stand between groups of three digits.
        minor_digits: how many of a whole number's last digits stand behind the point: 2 for money in cents.
    """

    source: Annotated[Named | None, Field(alias="from")] = None
    means: dict[str, str] = Field(default_factory=dict)
    thousands: Literal[",", " ", "'"] | None = None
    minor_digits: Annotated[int, Field(ge=0, le=MAX_DIGITS)] = 0


class Older(Reading):
    """How rows up to the schema version ``until`` word the value; nothing is taken over from the newer wording."""

    until: int


class Column(Reading):
    """One column as it is kept, how the newest rows word it, and what a raw value must be to be accepted.

    Attributes:
        older: how older rows word it; of several that fit a row, the one with the lowest ``until`` counts.
        made_of: raw fields of which the value is a hash: the id of rows that come without one.
        personal: whether it says who somebody is, and is kept as a keyed hash only.
        pattern: a regular expression that the whole of a text must fit, in words that Python and Java share.
    """

    type: Annotated[str, Field(pattern=TYPE_PATTERN)]
    required: bool = False
    made_of: Annotated[tuple[str, ...], AfterValidator(_are_places)] | None = None
    personal: bool = False
    older: tuple[Older, ...] = ()
    min: float | None = None
    max: float | None = None
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    unknown: tuple[str, ...] = ()
    unit: str = ""
    description: str = ""

    @field_validator("type")
    @classmethod
    def _fits_spark(cls, name: str) -> str:
        found = spark_type(name)
        if isinstance(found, DecimalType) and not max(1, found.scale) <= found.precision <= MAX_DIGITS:
            raise ValueError(
                f"a decimal has 1 to {MAX_DIGITS} digits, and no more of them behind the point than in all"
            )
        return name

    @field_validator("pattern")
    @classmethod
    def _is_expression(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        if "(?P" in pattern:
            raise ValueError("Java has no (?P...) groups; write plain ones")
        return pattern

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Column:
        limits = [limit for limit in (self.min, self.max) if limit is not None]
        if limits and not isinstance(self.spark_type, NumericType):
            raise ValueError(f"min and max limit numbers, and the type is {self.type}; remove them")
        if self.pattern is not None and self.type != "string":
            raise ValueError(f"a pattern is for texts, and the type is {self.type}; remove it")
        if limits != sorted(limits):
            raise ValueError(f"min {limits[0]:g} is above max {limits[1]:g}")
        if len({older.until for older in self.older}) < len(self.older):
            raise ValueError("two of `older` end with one version; keep one of them")
        if self.personal and (self.type != "string" or self.allowed):
            raise ValueError(
                "personal keeps the hash of a text, of which `allowed` knows nothing; make it one"
            )
        if self.made_of and (
            self.type != "string" or self.source or self.older or self.means or self.personal
        ):
            raise ValueError(
                "made_of makes a text of other fields; it goes with no from, older, means or personal"
            )
        for reading in (self, *self.older):
            self._check(reading)
        return self

    def _check(self, reading: Reading) -> None:
        if reading.thousands and not isinstance(self.spark_type, NumericType):
            raise ValueError(f"thousands separates digits of numbers, and the type is {self.type}; remove it")
        if reading.minor_digits and not isinstance(self.spark_type, DecimalType):
            raise ValueError(f"minor_digits makes decimals, and the type is {self.type}; make it one")
        foreign = [value for value in reading.means.values() if self.allowed and value not in self.allowed]
        if foreign:
            raise ValueError(
                f"means leads to {', '.join(foreign)}, which `allowed` does not list; add it or correct it"
            )

    def places(self, name: str) -> tuple[RawPlace, ...]:
        """Every place where a row of any version may hold the value of this column, which is called ``name``."""
        if self.made_of:
            return places(self.made_of)
        return tuple(place for reading in (self, *self.older) for place in places(reading.source or name))

    @property
    def spark_type(self) -> DataType:
        return spark_type(self.type)

    @property
    def comment(self) -> str:
        return f"{self.description} [{self.unit}]" if self.unit else self.description
