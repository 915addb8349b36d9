"""A person's rows in quarantine, where a row is a text."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from lake.contracts import Contract
from lake.erase.lines import Lines
from lake.erase.person import Person
from lake.erase.rows import PersonalRows
from lake.ingest.schemas import QUARANTINE
from lake.tables import Lake

_SAME = "held.log = found.log AND held.text = found.text"


def quarantined_rows(lake: Lake, contract: Contract, person: Person) -> PersonalRows:
    """The refused rows of a log with a subject that are a person's."""
    rows = lake.read(QUARANTINE.name).where((F.col("log") == contract.log) & F.col("text").isNotNull())
    return PersonalRows(QUARANTINE.name, _naming(rows, Lines.of(contract, person)), _SAME, ("text",))


def orphaned_rows(lake: Lake, logs: list[str], person: Person) -> PersonalRows:
    """The refused rows that name a person, of logs which no contract describes any more."""
    rows = lake.read(QUARANTINE.name).where(~F.col("log").isin(logs) & F.col("text").isNotNull())
    return PersonalRows(QUARANTINE.name, _naming(rows, Lines("", frozenset(), person)), _SAME, ("text",))


def _naming(rows: DataFrame, lines: Lines) -> DataFrame:
    return rows.select("log", "text").where(_names(lines, F.col("text"))).distinct()


def _names(lines: Lines, text: Column) -> Column:
    def judge(texts: pd.Series) -> pd.Series:
        return texts.map(lines.name).astype(bool)

    judged: Column = pandas_udf(judge, "boolean")(text)  # type: ignore[call-overload]  # it takes text too
    return judged
