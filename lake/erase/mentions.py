"""Texts that mention a person beside other things, such as the error of a run: the hash takes the place of the id."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import functions as F

from lake.erase.person import ID, Person
from lake.erase.rows import mentioning
from lake.statistics import hide
from lake.tables import Lake


def reword(lake: Lake, table: str, columns: Sequence[str], person: Person) -> bool:
    """Put the hash for the id wherever one of the columns has it as a word; returns whether one had."""
    if not lake.exists(table):
        return False
    hashed = F.lit(person.hashed).alias("hashed")
    found = person.table(lake.spark).where(F.col(ID) != person.hashed).select("*", hashed)
    rows = lake.read(table).alias("held")
    if rows.join(found.alias("found"), on=F.expr(mentioning(*columns)), how="left_semi").head() is None:
        return False
    hide(lake, table, columns)
    said = ", ".join(
        f"`{name}` = regexp_replace(held.`{name}`, found.pattern, found.hashed)" for name in columns
    )
    lake.merge(table, found, on=mentioning(*columns), then=f"WHEN MATCHED THEN UPDATE SET {said}")
    return True
