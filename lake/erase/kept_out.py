"""Later deliveries that name an erased person: their rows are counted and dropped, and their text is kept nowhere."""

from __future__ import annotations

import re

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from lake.contracts import Contract
from lake.erase.erasures import erased
from lake.errors import ConfigError
from lake.hash_key import HASHED, UNFIT, VARIABLE, HashKey
from lake.ingest.parse import REASON, TEXT
from lake.tables import Lake

ERASED = "erased"

# What ends a value in JSON and CSV.
_BETWEEN = r"""[\s"',;:{}\[\]\\]+"""


def drop_erased(lake: Lake, contract: Contract, rows: DataFrame) -> DataFrame:
    """Give parsed rows of erased persons the reason ``erased``, whatever else they are refused for.

    Judged last: a transaction is whole although one side of it is nobody's any more. A refused row that names nobody
    in its subject, such as a broken line, is looked through word by word.

    Raises:
        ConfigError: there are erased persons, and the environment has no key to recognise them by.
    """
    hashes = erased(lake) if contract.subject else frozenset[str]()
    if not hashes:
        return rows
    if lake.hash_key is None:
        raise ConfigError(
            [
                f"{len(hashes)} users were erased, and {VARIABLE} is not set; without it their rows would come back"
            ]
        )
    subject = [F.col(name) for name in contract.subject]
    names_nobody = F.coalesce(*subject).isNull() & F.col(REASON).isNotNull()
    text = F.when(names_nobody, F.col(TEXT))
    is_erased = _names_any(lake.hash_key, hashes, text, *subject)
    return rows.withColumn(REASON, F.when(is_erased, ERASED).otherwise(F.col(REASON)))


def _names_any(key: HashKey, hashes: frozenset[str], text: Column, *subject: Column) -> Column:
    """In Python, as ``HashKey.column``: the secret stands in no plan."""

    def is_erased(value: str) -> bool:
        hidden = value.removeprefix(UNFIT)
        return (hidden if re.fullmatch(HASHED, hidden) else key.hashed(value)) in hashes

    def is_in(line: str) -> bool:
        # Of a line that was in quarantine personal values are hashes already, and those hold a colon.
        return any(map(is_erased, (*re.findall(HASHED, line), *re.split(_BETWEEN, line))))

    def judge(texts: pd.Series, *columns: pd.Series) -> pd.Series:
        verdict = texts.map(is_in, na_action="ignore").eq(other=True)
        for column in columns:
            named = {value for value in column.dropna().unique() if is_erased(value)}
            verdict |= column.isin(named)
        return verdict

    judged: Column = pandas_udf(judge, "boolean")(text, *subject)  # type: ignore[call-overload]  # it takes *args too
    return judged
