"""A CSV of rows to describe, read and checked line by line before Spark starts."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pyspark.sql.types import (
    BooleanType,
    DataType,
    DecimalType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    TimestampType,
)

from jobs.arguments import instant
from lake.errors import SchemaError

_SHOWN = 10
_LONGS = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The file's columns with their types, and its rows; an empty cell is null."""

    fields: Sequence[StructField]
    rows: Sequence[tuple[object, ...]]

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.fields]


def read_keys(path: Path, types: Mapping[str, DataType], needed: Sequence[str]) -> KeyFile:
    """Read a CSV with a header; columns that ``types`` does not name are text.

    Raises:
        SchemaError: there is no such file, it has no header, names a column twice or lacks a needed one; or with the
            first mistakes, each with its line: a row that is too long or too short, a cell that does not fit its
            column's type.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path} cannot be read: {error}; give a CSV in UTF-8 with a header") from error
    header, *body = lines or [[]]
    twice = sorted({name for name in header if header.count(name) > 1})
    if not header or twice:
        fault = f"names {', '.join(twice)} twice" if twice else "is empty"
        raise SchemaError(f"{path}: its first line {fault}; name each column there, once")
    absent = [name for name in needed if name not in header]
    if absent:
        raise SchemaError(
            f"{path}: its first line lacks {', '.join(absent)}, it has {', '.join(header)}; a key may be empty, but "
            "its column must be there"
        )
    fields = [StructField(name, types.get(name, StringType())) for name in header]
    mistakes: list[str] = []
    rows = []
    for number, line in enumerate(body, start=2):
        if line:
            rows.append(_row(f"{path}:{number}", line, fields, mistakes))
    if mistakes:
        more = [f"and {len(mistakes) - _SHOWN} more"] if len(mistakes) > _SHOWN else []
        raise SchemaError("the rows to describe cannot be read:\n" + "\n".join([*mistakes[:_SHOWN], *more]))
    return KeyFile(fields, rows)


def _row(
    where: str, line: Sequence[str], fields: Sequence[StructField], mistakes: list[str]
) -> tuple[object, ...]:
    if len(line) != len(fields):
        mistakes.append(f"{where}: {len(line)} cells, the header has {len(fields)}")
        return ()
    values: list[object] = []
    for text, field in zip(line, fields, strict=True):
        try:
            values.append(_value(text, field.dataType))
        except (ValueError, InvalidOperation, argparse.ArgumentTypeError):
            mistakes.append(f"{where}: {field.name} is {text!r}, expected {_EXPECTED[type(field.dataType)]}")
    return tuple(values)


def _value(text: str, kind: DataType) -> object:
    if not text:
        return None
    return _decimal(text, kind) if isinstance(kind, DecimalType) else _READ[type(kind)](text)


def _decimal(text: str, kind: DecimalType) -> Decimal:
    """An exact number with no more digits than its column has on either side of the point."""
    value = Decimal(text)
    kept = value.quantize(Decimal(1).scaleb(-kind.scale))
    if kept != value or kept.adjusted() >= kind.precision - kind.scale:
        raise ValueError(text)
    return kept


def _long(text: str) -> int:
    value = int(text)
    if value not in _LONGS:
        raise ValueError(text)
    return value


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


_READ: Mapping[type[DataType], Callable[[str], object]] = {
    StringType: str,
    LongType: _long,
    DoubleType: float,
    BooleanType: _truth,
    TimestampType: instant,
}
_EXPECTED: Mapping[type[DataType], str] = {
    LongType: "a whole number of 64 bits",
    DoubleType: "a number",
    DecimalType: "a number with no more digits than its contract gives it",
    BooleanType: "true or false",
    TimestampType: "an instant such as 2026-03-01T12:00:00 (UTC)",
}
