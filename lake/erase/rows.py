"""A person's rows in a Delta table, counted and removed by joins: no id in a statement, so none in a commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.statistics import hide
from lake.tables import Lake


@dataclass(frozen=True, slots=True)
class PersonalRows:
    """The rows ``held`` of a table for which ``found`` has one that fulfils ``where``.

    Attributes:
        hidden: columns that may name a person, of which the table's log keeps no least and greatest values.
    """

    table: str
    found: DataFrame
    where: str
    hidden: tuple[str, ...] = ()

    def remove(self, lake: Lake) -> None:
        """Remove them in one commit; a second time nothing is there to remove."""
        hide(lake, self.table, self.hidden)
        lake.merge(self.table, self.found, on=self.where, then="WHEN MATCHED THEN DELETE")


def count(lake: Lake, parts: Sequence[PersonalRows]) -> int:
    """How many rows of one table are in any of the parts; a row of several counts once."""
    rows, total = lake.read(parts[0].table), 0
    for part in parts:
        on, found = F.expr(part.where), part.found.alias("found")
        total += rows.alias("held").join(found, on=on, how="left_semi").count()
        rows = rows.alias("held").join(found, on=on, how="left_anti")
    return total


def naming(*columns: str) -> str:
    """True where one of the columns is one of a person's names."""
    return f"found.id IN ({', '.join(f'held.`{name}`' for name in columns)})"


def mentioning(*columns: str) -> str:
    """True where one of the columns holds a name of the person among other words."""
    return " OR ".join(
        f"(instr(held.`{name}`, found.id) > 0 AND held.`{name}` RLIKE found.pattern)" for name in columns
    )
