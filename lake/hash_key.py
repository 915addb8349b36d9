"""Keyed hashes, in which personal values are kept: equal values stay equal, and nobody without the key finds them.

HMAC (RFC 2104) with SHA-256: a plain hash of an address or a phone number is found by trying all there are.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
from pyspark.sql import Column
from pyspark.sql.pandas.functions import pandas_udf

from lake.errors import ConfigError

VARIABLE = "TRUSTLAKE_HASH_KEY"
PREFIX = "h1:"
HASHED = r"h1:[0-9a-f]{64}"
# The hash of what its contract's pattern refused, which no hash of a good value is.
UNFIT = "unfit-"
# Either, as quarantine keeps it in the place of a personal value.
HIDDEN = f"({UNFIT})?{HASHED}"

_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class HashKey:
    """The secret of the hashes. Another secret gives other hashes: keep it as long as the tables."""

    secret: bytes = field(repr=False)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> HashKey | None:
        """The key that the environment gives; None where it gives none.

        Raises:
            ConfigError: it is shorter than 16 characters.
        """
        text = environment.get(VARIABLE, "")
        if not text:
            return None
        if len(text) < _SHORTEST:
            raise ConfigError(
                [f"{VARIABLE} has {len(text)} characters; give it {_SHORTEST} or more that nobody guesses"]
            )
        return cls(text.encode())

    def hashed(self, value: str) -> str:
        """The hash of one value: ``h1:`` and 64 hexadecimal digits."""
        return PREFIX + hmac.digest(self.secret, value.encode(), "sha256").hex()

    @property
    def fingerprint(self) -> str:
        """What tells this key from another one and gives none away."""
        return self.hashed("fingerprint").removeprefix(PREFIX)[:12]

    def column(self, text: Column) -> Column:
        """The hashes of a text column; null stays null.

        In Python, because the secret would stand in Spark's plans, which are logged.
        """

        def hash_all(values: pd.Series) -> pd.Series:
            hashes = {value: self.hashed(value) for value in values.dropna().unique()}
            # As objects, for pandas takes a column without any value for one of numbers, which is no text to Arrow.
            return pd.Series([hashes.get(value) for value in values], index=values.index, dtype=object)

        hashes: Column = pandas_udf(hash_all, "string")(text)  # type: ignore[call-overload]  # it takes text too
        return hashes


def needed(key: HashKey | None, what: str) -> HashKey:
    """The key, which ``what`` cannot do without.

    Raises:
        ConfigError: there is none.
    """
    if key is None:
        mistake = (
            f"{what} is personal, and {VARIABLE} is not set; set it to a secret of {_SHORTEST} or more characters "
            "(on Databricks from a secret scope), always the same for one lake"
        )
        raise ConfigError([mistake])
    return key
