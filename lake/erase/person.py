"""Somebody whose rows go: the id as logs deliver it, and the hash by which everything written speaks of the person."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, SparkSession

from lake.hash_key import HashKey

ID, PATTERN, DIGEST = "id", "pattern", "digest"


@dataclass(frozen=True, slots=True)
class Person:
    """One person. As a text it is the hash, so that no key, message or row holds the id.

    Attributes:
        id: as the logs deliver it.
        hashed: its keyed hash, which stands in its place where a contract keeps the column hashed.
    """

    id: str = field(repr=False)
    hashed: str

    @classmethod
    def of(cls, identifier: str, key: HashKey) -> Person:
        return cls(identifier, key.hashed(identifier))

    def __str__(self) -> str:
        return self.hashed

    @property
    def names(self) -> tuple[str, str]:
        """Both ways in which a table may name the person."""
        return self.id, self.hashed

    @property
    def pattern(self) -> str:
        """Finds either name as a whole word, or in a key of several columns, which come with their lengths."""
        return "|".join(
            rf"(?<!\w){re.escape(name)}(?!\w)|(?<!\d){len(name)}:{re.escape(name)}" for name in self.names
        )

    def is_in(self, text: str) -> bool:
        """True where a text names the person, as a whole word."""
        return re.search(self.pattern, text) is not None

    def table(self, spark: SparkSession) -> DataFrame:
        """One row per name: ``id``, ``pattern``, and the ``digest`` that training sets keep of identifiers.

        Tables are joined with it, for what a statement says stands in commits, plans and logs.
        """
        rows = spark.createDataFrame(
            [(name, self.pattern) for name in self.names], f"{ID} string, {PATTERN} string"
        )
        return rows.selectExpr("*", f"sha2({ID}, 256) AS {DIGEST}")
