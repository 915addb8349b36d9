"""Raw lines that name a person: in the fields of the contract's subject, or, where a line is broken, as a word."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lake.contracts import Contract
from lake.erase.person import Person
from lake.hash_key import UNFIT


@dataclass(frozen=True, slots=True)
class Lines:
    """How the lines of one log tell whom they are about.

    Attributes:
        format: ``json`` or ``csv``; empty for a log that no contract describes any more.
        fields: raw fields that name a person.
        header: names of the columns of CSV files that do not begin with them.
    """

    format: str
    fields: frozenset[str]
    person: Person
    header: tuple[str, ...] = ()

    @classmethod
    def of(cls, contract: Contract, person: Person) -> Lines:
        """The lines of a log with a subject."""
        read = [place for name in contract.subject for place in contract.columns[name].places(name)]
        fields = frozenset((place.path or place.column).rsplit(".", 1)[-1] for place in read)
        return cls(contract.files.format, fields, person, contract.files.header)

    def name(self, line: str, header: Sequence[str] = ()) -> bool:
        """True where the line is the person's.

        A line that can be read is, where a subject field holds the id; where all of them are empty, where any field
        does. One that cannot be read is, where it holds the id as a word.
        """
        if not self.may_be_in(line):
            return False
        if self.format == "json":
            return self._json_names(line)
        return self._csv_names(line, header) if self.format == "csv" else self.person.is_in(line)

    def may_be_in(self, content: str) -> bool:
        """False where no line of the content can name the person; quickly."""
        escape = {"json": "\\", "csv": '""'}.get(self.format)
        return any(name in content for name in self.person.names) or (
            escape is not None and escape in content
        )

    def _json_names(self, line: str) -> bool:
        try:
            # As written: a contract reads every value as text.
            row = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        except ValueError:
            return self.person.is_in(line)
        if not isinstance(row, dict):
            return self.person.is_in(line)
        return self._among(list(_fields(row)))

    def _csv_names(self, line: str, header: Sequence[str]) -> bool:
        try:
            values = next(csv.reader([line], strict=True), [])
        except csv.Error:
            return self.person.is_in(line)
        if header and len(values) != len(header):
            return self.person.is_in(line)
        return self._among(list(zip(header or [""] * len(values), values, strict=True)))

    def _among(self, fields: Sequence[tuple[str, str]]) -> bool:
        told = [value for field, value in fields if field in self.fields and value]
        # What quarantine keeps of an id that its column's pattern refused says so.
        return any(
            value.removeprefix(UNFIT) in self.person.names for value in told or [value for _, value in fields]
        )


def _fields(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with the name of its field."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for field, inner in value.items():
            yield from _fields(inner, field)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, name)
