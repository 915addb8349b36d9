"""A contract: one raw log, declared in YAML, one document a log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pyspark.sql.types import DataType, DecimalType, NumericType, StructField, StructType, TimestampType

from lake.contracts.types import TYPE_PATTERN, spark_type
from lake.documents import Document, Strict, decode, read_documents
from lake.duration import Duration
from lake.errors import ConfigError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
TimeFormat = Literal["iso", "epoch_s", "epoch_ms"]

# ``$.device.id`` is the field ``id`` of the object in the raw column ``device``.
_PATH = re.compile(r"^\$\.([^.\[\]]+)((?:\.[^.\[\]]+)+)$")

PLATFORM_COLUMNS = ("event_at", "known_at", "told_at", "source_file", "ingest_batch")
MAX_DIGITS = 38


@dataclass(frozen=True, slots=True)
class RawPlace:
    """Where a raw value stands: in a raw column, or at ``path`` in the object that it holds."""

    column: str
    path: str | None = None

    @classmethod
    def of(cls, text: str) -> RawPlace:
        """The place that a contract names: a raw column, or ``$.column.field``."""
        match = _PATH.fullmatch(text)
        return cls(match[1], "$" + match[2]) if match else cls(text)


def _places(named: str | tuple[str, ...]) -> tuple[RawPlace, ...]:
    return tuple(map(RawPlace.of, (named,) if isinstance(named, str) else named))


class Column(Strict):
    """One column as it is kept, and what a raw value must be to be accepted.

    Attributes:
        source: where its raw value stands, if not under the column's own name; of several places, which older and newer
            producers fill, the first with a value counts.
        means: raw values, trimmed, that stand for others: old names, and slips that leave no doubt.
        thousands: what may stand between groups of three digits.
    """

    type: Annotated[str, Field(pattern=TYPE_PATTERN)]
    source: Annotated[str | tuple[str, ...] | None, Field(alias="from")] = None
    required: bool = False
    means: dict[str, str] = Field(default_factory=dict)
    thousands: Literal[",", " ", "'"] | None = None
    min: float | None = None
    max: float | None = None
    allowed: tuple[str, ...] = ()
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

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Column:
        limits = [limit for limit in (self.min, self.max) if limit is not None]
        if limits and not isinstance(self.spark_type, NumericType):
            raise ValueError(f"min and max limit numbers, and the type is {self.type}; remove them")
        if limits != sorted(limits):
            raise ValueError(f"min {limits[0]:g} is above max {limits[1]:g}")
        if self.thousands and not isinstance(self.spark_type, NumericType):
            raise ValueError(f"thousands separates digits of numbers, and the type is {self.type}; remove it")
        foreign = [value for value in self.means.values() if self.allowed and value not in self.allowed]
        if foreign:
            raise ValueError(
                f"means leads to {', '.join(foreign)}, which `allowed` does not list; add it or correct it"
            )
        return self

    @property
    def spark_type(self) -> DataType:
        return spark_type(self.type)

    @property
    def comment(self) -> str:
        return f"{self.description} [{self.unit}]" if self.unit else self.description


class Files(Strict):
    """Where the files of a log lie below the raw root; ``{day}`` stands for the day of delivery."""

    pattern: str
    format: Literal["json", "csv"]
    daily: bool = False

    @field_validator("pattern")
    @classmethod
    def _has_day(cls, pattern: str) -> str:
        if pattern.count("{day}") != 1:
            raise ValueError("expected {day} exactly once, for the day of delivery (YYYY-MM-DD)")
        return pattern

    @property
    def glob(self) -> str:
        return self.pattern.replace("{day}", "*")

    def day_of(self, path: str) -> str | None:
        """The day (YYYY-MM-DD) that ``path``, relative to the raw root, names; None where it does not fit."""
        parts = [re.escape(part).replace(r"\*", "[^/]*") for part in self.pattern.split("{day}")]
        match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})".join(parts), path)
        return match[1] if match and _is_day(match[1]) else None


class Lag(Strict):
    """The log has no arrival time: a row is known this long after it happened."""

    lag: Duration


class Days(Strict):
    """Days of delivery from ``first`` on, up to but without ``until``."""

    first: date
    until: date

    def __contains__(self, day: str) -> bool:
        return self.first <= date.fromisoformat(day) < self.until


class Contract(Strict):
    """One raw log. A row of it becomes one event, known at ``known_at``."""

    log: Name
    description: str
    version: int = 1
    files: Files
    key: tuple[str, ...]
    event_at: str | tuple[str, ...]
    known_at: str | tuple[str, ...] | Lag
    time_format: TimeFormat | tuple[TimeFormat, ...] = "iso"
    clock_skew: Duration = timedelta(0)
    late_by: Duration | None = None  # how long before its arrival an event may be dated
    refuse_above: Annotated[float, Field(ge=0, le=1)] = 0.05
    backfill: Days | None = None  # deliveries that are history, whatever was built before they came
    columns: dict[Name, Column]

    @model_validator(mode="after")
    def _names_agree(self) -> Contract:
        mistakes = []
        absent = [name for name in self.key if name not in self.columns]
        if absent or not self.key:
            mistakes.append(
                f"key names {', '.join(absent) or 'nothing'}; columns are {', '.join(self.columns)}"
            )
        if self.files.format == "csv":
            read = (*self.happened, *self.arrived, *chain.from_iterable(map(self.places, self.columns)))
            looked_into = [f"$.{p.column}{p.path.removeprefix('$')}" for p in read if p.path]
            if looked_into:
                mistakes.append(f"{', '.join(looked_into)}: a CSV file holds no objects to look into")
        taken = [name for name in PLATFORM_COLUMNS if name in self.columns]
        if taken:
            mistakes.append(f"the platform adds {', '.join(taken)} itself; remove or rename")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @property
    def table(self) -> str:
        return f"events_{self.log}"

    @property
    def time_formats(self) -> tuple[TimeFormat, ...]:
        """The ways a time may be written; the first that fits counts."""
        return (self.time_format,) if isinstance(self.time_format, str) else self.time_format

    @property
    def happened(self) -> tuple[RawPlace, ...]:
        """Where the time of the event stands."""
        return _places(self.event_at)

    @property
    def arrived(self) -> tuple[RawPlace, ...]:
        """Where the time of arrival stands; nowhere in a log that is known a lag later."""
        return () if isinstance(self.known_at, Lag) else _places(self.known_at)

    def places(self, name: str) -> tuple[RawPlace, ...]:
        """Where the raw value of a column stands, the place that counts first."""
        return _places(self.columns[name].source or name)

    @property
    def alternatives(self) -> tuple[tuple[str, ...], ...]:
        """For everything that is read of a row, the raw columns that may hold it."""
        read = (self.happened, self.arrived, *map(self.places, self.columns))
        return tuple(tuple(dict.fromkeys(place.column for place in places)) for places in read if places)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """Every raw column the contract reads, each once."""
        return tuple(dict.fromkeys(column for columns in self.alternatives for column in columns))

    @property
    def event_schema(self) -> StructType:
        """The event table: times first, so that Delta keeps statistics of them."""
        return StructType(
            [
                _field("event_at", TimestampType(), "When it happened (UTC)"),
                _field("known_at", TimestampType(), "When the platform could know it (UTC)"),
                _field(
                    "told_at", TimestampType(), "When it would have been known, had it come in time (UTC)"
                ),
                *(_field(name, column.spark_type, column.comment) for name, column in self.columns.items()),
                _field("source_file", spark_type("string"), "Raw file, relative to the raw root"),
                _field("ingest_batch", spark_type("string"), "Batch of files this row came with"),
            ]
        )


def read_contracts(paths: Sequence[str]) -> dict[str, Contract]:
    """Contracts by log, from YAML files and folders of them; a file may hold several documents.

    Raises:
        ConfigError: with every mistake of every file; also where two documents declare one log.
    """
    mistakes: list[str] = []
    contracts: dict[str, Contract] = {}
    for document in _documents(paths, mistakes):
        try:
            contract = decode(Contract, document)
        except ConfigError as error:
            mistakes += error.mistakes
            continue
        if contract.log in contracts:
            mistakes.append(f"{document.origin(('log',))}: {contract.log} is declared twice; keep one")
        contracts[contract.log] = contract
    if mistakes:
        raise ConfigError(mistakes)
    return contracts


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _documents(paths: Sequence[str], mistakes: list[str]) -> Iterator[Document]:
    for file in _files(paths, mistakes):
        try:
            yield from read_documents(file)
        except ConfigError as error:
            mistakes += error.mistakes


def _files(paths: Sequence[str], mistakes: list[str]) -> list[Path]:
    files: list[Path] = []
    for text in paths:
        path = Path(text)
        found = sorted(path.glob("*.yml")) if path.is_dir() else [path]
        if not found:
            mistakes.append(f"{path}: holds no .yml file; put the contracts there or correct `contracts`")
        files += found
    return files


def _field(name: str, data_type: DataType, comment: str) -> StructField:
    return StructField(name, data_type, nullable=True, metadata={"comment": comment})
