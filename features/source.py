"""What features are computed from: rows that happened at ``event_at`` and were known from ``known_at`` on."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.contracts import REVISION

TOLD_AT = "told_at"


@dataclass(frozen=True, slots=True)
class Source:
    """A source of events.

    Attributes:
        rows: ``event_at``, ``known_at`` and the source's columns; and, where rows can be taken back, ``revision``:
            null for a row itself, ``correction`` for one that stands in its place from its own ``known_at`` on,
            ``retraction`` for one that takes it away. A revision carries the id and the entity keys of the row it
            means; a retraction's other columns do not matter. A row that comes back after a retraction is a
            correction. ``told_at`` orders revisions where ``known_at`` was raised and no longer does.
        key: the columns that are a row's id.
    """

    rows: DataFrame
    key: tuple[str, ...]

    @property
    def is_revised(self) -> bool:
        """Whether rows can be taken back or corrected."""
        return REVISION in self.rows.columns

    @property
    def told_at(self) -> Column:
        """What orders the revisions of a row."""
        return F.col(TOLD_AT if TOLD_AT in self.rows.columns else "known_at")

    @property
    def row_id(self) -> Column:
        """A row's id as text."""
        return text_of(self.key)


def key_of(columns: tuple[str, ...]) -> Column:
    """An entity's key as one column: of one it keeps the type, which is quicker to exchange; several become a text."""
    return F.col(columns[0]) if len(columns) == 1 else text_of(columns)


def text_of(columns: tuple[str, ...]) -> Column:
    """Columns as one text, different for different values; null where one of them is null."""
    if len(columns) == 1:
        return F.col(columns[0]).cast("string")
    texts = [F.col(name).cast("string") for name in columns]
    return F.concat(*(part for text in texts for part in (F.length(text).cast("string"), F.lit(":"), text)))


def columns_of(text: Column, names: tuple[str, ...]) -> list[Column]:
    """The columns that ``text_of`` made this text of, as texts."""
    if len(names) == 1:
        return [text.alias(names[0])]
    found, rest = [], text
    for name in names:
        size = F.substring_index(rest, ":", 1)
        begin, length = F.length(size) + 2, size.cast("int")
        found.append(F.substr(rest, begin, length).alias(name))
        rest = F.substr(rest, begin + length)
    return found
