"""A contract: one raw log, declared in YAML, one document a log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator
from pyspark.sql.types import DataType, StructField, StructType, TimestampType

from lake.contracts.balance import Balance
from lake.contracts.changes import Changes
from lake.contracts.column import Column, Named, RawPlace, places
from lake.contracts.refusals import Refusal
from lake.contracts.revisions import REVISION, Revisions
from lake.contracts.types import spark_type
from lake.documents import Document, Strict, decode, read_documents
from lake.duration import Duration
from lake.errors import ConfigError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
TimeFormat = Literal["iso", "epoch_s", "epoch_ms", "hour_number", "day_number"]

PLATFORM_COLUMNS = ("event_at", "known_at", "told_at", REVISION, "source_file", "ingest_batch")


_REVISION = "What the row is to the row it means: correction or retraction; null for a row itself"


class Files(Strict):
    """Where the files of a log lie below the raw root; ``{day}`` stands for the day of delivery.

    Attributes:
        delivered_on: the day of delivery of files whose names have none.
        header: names of the columns of CSV files that begin with a row and not with their names.
    """

    pattern: str
    format: Literal["json", "csv"]
    daily: bool = False
    delivered_on: date | None = None
    header: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_a_day(self) -> Files:
        if self.pattern.count("{day}") != (self.delivered_on is None):
            raise ValueError(
                "expected {day} exactly once in the pattern, for the day of delivery (YYYY-MM-DD); for files "
                "without one give `delivered_on`, and no {day}"
            )
        if self.daily and self.delivered_on is not None:
            raise ValueError("files of one day, `delivered_on`, do not come daily; drop one of both")
        if self.header and self.format != "csv":
            raise ValueError("only CSV files have a header")
        if len(set(self.header)) < len(self.header):
            raise ValueError(f"header names a column twice: {', '.join(self.header)}")
        return self

    @property
    def glob(self) -> str:
        return self.pattern.replace("{day}", "*")

    def day_of(self, path: str) -> str | None:
        """The day (YYYY-MM-DD) that ``path``, relative to the raw root, names; None where it does not fit."""
        parts = [re.escape(part).replace(r"\*", "[^/]*") for part in self.pattern.split("{day}")]
        match = re.fullmatch(r"(\d{4}-\d{2}-\d{2})".join(parts), path)
        if self.delivered_on is not None:
            return self.delivered_on.isoformat() if match else None
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
    """One raw log. A row of it becomes one event, known at ``known_at``.

    Attributes:
        key: what a second delivery of an event repeats.
        business_key: what no second event has, though its key be new: a row that does is a near duplicate.
        refuse: by reason, raw fields and what they hold in rows that are not wanted; one field that fits is enough.
        subject: columns that name a person, whose rows `erase_user` removes; without them a row is nobody's.
    """

    log: Name
    description: str
    version: int = 1
    files: Files
    key: tuple[str, ...]
    business_key: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    event_at: Named = ()
    all_at: AwareDatetime | None = None  # the rows have no time: all of them happened then
    known_at: Named | Lag
    schema_version: Named | None = None  # the raw column that says how a row is worded; a whole number
    time_format: TimeFormat | tuple[TimeFormat, ...] = "iso"
    clock_skew: Duration = timedelta(0)
    late_by: Duration | None = None  # how long before its arrival an event may be dated
    refuse: dict[Name, Refusal] = Field(default_factory=dict)
    refuse_above: Annotated[float, Field(ge=0, le=1)] = 0.05
    backfill: Days | None = None  # deliveries that are history, whatever was built before they came
    changes: Changes | None = None  # what makes it a change log, of which a dimension is kept
    revisions: Revisions | None = None  # what makes it a log whose rows later rows take back or correct
    balance: Balance | None = None  # what makes it a ledger, whose transactions come whole or not at all
    columns: dict[Name, Column]

    @model_validator(mode="after")
    def _names_agree(self) -> Contract:
        mistakes = []
        absent = [name for name in self.key if name not in self.columns]
        if absent or not self.key:
            mistakes.append(
                f"key names {', '.join(absent) or 'nothing'}; columns are {', '.join(self.columns)}"
            )
        mistakes += self._unfit()
        if (self.event_at == ()) != (self.all_at is not None):
            mistakes.append("give event_at, the raw column of the time, or all_at for rows without one")
        aged = [name for name, column in self.columns.items() if column.older]
        if aged and not self.schema_version:
            mistakes.append(
                f"{', '.join(aged)}: `older` needs `schema_version`, the raw column with the version of a row"
            )
        if self.files.format == "csv":
            columns = (column.places(name) for name, column in self.columns.items())
            read = (*self.happened, *self.arrived, *self.versioned, *chain(*columns, *self.unwanted.values()))
            looked_into = [str(place) for place in read if place.path]
            if looked_into:
                mistakes.append(f"{', '.join(looked_into)}: a CSV file holds no objects to look into")
        mistakes += self._unfit_kind()
        taken = [name for name in PLATFORM_COLUMNS if name in self.columns]
        if taken:
            mistakes.append(f"the platform adds {', '.join(taken)} itself; remove or rename")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def _unfit_kind(self) -> list[str]:
        """What keeps it from being the change log, the ledger or the revised log that it says it is."""
        mistakes = []
        if self.changes:
            mistakes += self.changes.mistakes(self.columns, self.key)
        if self.balance:
            mistakes += self.balance.mistakes(self.columns)
        if self.revisions:
            mistakes += self.revisions.mistakes(self.columns, self.key)
            if self.changes or self.balance:
                mistakes.append("a change log or a ledger has no revisions: a new row tells of a change")
        return mistakes

    def _unfit(self) -> list[str]:
        """Columns that are named for what they cannot be."""
        mistakes = []
        loose = [
            name for name in self.business_key if name not in self.columns or not self.columns[name].required
        ]
        if loose:
            mistakes.append(f"business_key names {', '.join(loose)}; name columns that are `required`")
        unnamed = [
            name for name in self.subject if name not in self.columns or self.columns[name].type != "string"
        ]
        if unnamed:
            mistakes.append(f"subject names {', '.join(unnamed)}; name columns of type `string`")
        return mistakes

    @property
    def row_id(self) -> tuple[str, ...]:
        """What tells rows apart: of a log that is revised, the id that a row shares with its revisions."""
        return self.revisions.of if self.revisions else self.key

    @property
    def table(self) -> str:
        return f"events_{self.log}"

    @property
    def dimension(self) -> str:
        """The table of versions, where the log is a change log."""
        return f"dim_{self.log}"

    @property
    def personal(self) -> tuple[str, ...]:
        """The columns that are kept as hashes only."""
        return tuple(name for name, column in self.columns.items() if column.personal)

    @property
    def is_judged_together(self) -> bool:
        """Whether a row that keeps the contract alone may be refused beside others."""
        return bool(self.business_key or self.changes or self.balance or self.revisions)

    @property
    def time_formats(self) -> tuple[TimeFormat, ...]:
        """The ways a time may be written; the first that fits counts."""
        return (self.time_format,) if isinstance(self.time_format, str) else self.time_format

    @property
    def happened(self) -> tuple[RawPlace, ...]:
        """Where the time of the event stands; nowhere in a log whose rows have none."""
        return () if self.all_at else places(self.event_at)

    @property
    def arrived(self) -> tuple[RawPlace, ...]:
        """Where the time of arrival stands; nowhere in a log that is known a lag later."""
        return () if isinstance(self.known_at, Lag) else places(self.known_at)

    @property
    def versioned(self) -> tuple[RawPlace, ...]:
        """Where the schema version of a row stands; nowhere where all rows are worded alike."""
        return places(self.schema_version) if self.schema_version else ()

    @property
    def unwanted(self) -> dict[str, tuple[RawPlace, ...]]:
        """By reason, where it stands that a row is not wanted."""
        return {reason: places(tuple(fields)) for reason, fields in self.refuse.items()}

    @property
    def alternatives(self) -> tuple[tuple[str, ...], ...]:
        """For everything that is read of a row, the raw columns that may hold it."""
        columns = (column.places(name) for name, column in self.columns.items())
        judged_by = ((place,) for place in chain(*self.unwanted.values()))
        read = (self.happened, self.arrived, self.versioned, *columns, *judged_by)
        return tuple(tuple(dict.fromkeys(place.column for place in some)) for some in read if some)

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
                *([_field(REVISION, spark_type("string"), _REVISION)] if self.revisions else []),
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
