"""Texts that mention a person beside other things, such as the error of a run: the hash takes the place of the id."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import functions as F

from lake.erase.person import ID, Person
from lake.erase.rows import mentioning
from lake.tables import Lake

_VIEW = "trustlake_mentioned"


def reword(lake: Lake, table: str, columns: Sequence[str], person: Person) -> bool:
    """Put the hash for the id wherever one of the columns has it as a word; returns whether one had."""
    if not lake.exists(table):
        return False
    hashed = F.lit(person.hashed).alias("hashed")
    found = person.table(lake.spark).where(F.col(ID) != person.hashed).select("*", hashed)
    rows = lake.read(table).alias("held")
    if rows.join(found.alias("found"), on=F.expr(mentioning(*columns)), how="left_semi").head() is None:
        return False
    found.createOrReplaceTempView(_VIEW)
    said = ", ".join(
        f"`{name}` = regexp_replace(held.`{name}`, found.pattern, found.hashed)" for name in columns
    )
    lake.spark.sql(
        f"MERGE INTO {lake.place(table)} AS held USING {_VIEW} AS found ON {mentioning(*columns)} "
        f"WHEN MATCHED THEN UPDATE SET {said}"
    )
    lake.spark.catalog.dropTempView(_VIEW)
    return True
