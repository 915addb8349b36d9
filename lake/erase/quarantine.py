"""A person's rows in quarantine, where a row is a text."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from lake.contracts import Contract
from lake.erase.lines import Lines
from lake.erase.person import Person
from lake.erase.rows import PersonalRows
from lake.ingest.schemas import QUARANTINE
from lake.tables import Lake

_SAME = "held.log = found.log AND held.text = found.text"


def quarantined_rows(lake: Lake, contracts: Mapping[str, Contract], person: Person) -> PersonalRows:
    """The refused rows that are a person's: of a log without a subject none, of one without a contract those that name.

    One pass over the quarantine, whatever the number of logs.
    """
    lines = {log: Lines.of(one, person) for log, one in contracts.items() if one.subject}
    nobodys = [log for log in contracts if log not in lines]
    rows = lake.read(QUARANTINE.name).where(~F.col("log").isin(nobodys) & F.col("text").isNotNull())
    named = rows.select("log", "text").where(_names(lines, Lines("", frozenset(), person))).distinct()
    return PersonalRows(QUARANTINE.name, named, _SAME, ("text",))


def _names(lines: Mapping[str, Lines], orphaned: Lines) -> Column:
    def judge(logs: pd.Series, texts: pd.Series) -> pd.Series:
        told = [lines.get(log, orphaned).name(text) for log, text in zip(logs, texts, strict=True)]
        return pd.Series(told, dtype=bool)

    judged: Column = pandas_udf(judge, "boolean")(F.col("log"), F.col("text"))  # type: ignore[call-overload]  # it takes texts too
    return judged
