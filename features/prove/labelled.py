"""Rows with what is known of them: a bounded number of frauds and others, spread by hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, NumericType

from features.label_events import ROW, label_events
from features.labels import Verdict
from features.prove.auc import auc
from features.prove.sample import at_micros
from features.prove.target import Target
from features.verdicts import LABELS, labels_of_rows, verdict
from features.view import AS_OF

# What is drawn of each is bounded, whatever a table holds: enough for the second digit of an AUC.
FRAUDS, OTHERS = 500, 1_500

_ID, _MICROS, _IS_FRAUD = "_id", "_micros", "_is_fraud"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with the features that are numbers or truths; a null is NaN.

    Attributes:
        values: a row for each of ``ids``, a column for each of ``features``.
    """

    features: tuple[str, ...]
    ids: tuple[str, ...]
    instants: tuple[datetime, ...]
    is_fraud: NDArray[np.bool_]
    values: NDArray[np.float64]

    @property
    def frauds(self) -> int:
        return int(self.is_fraud.sum())

    def first(self, frauds: int, others: int) -> Labelled:
        """So many rows of each, at most."""
        counts = np.where(self.is_fraud, np.cumsum(self.is_fraud), np.cumsum(~self.is_fraud))
        kept = np.flatnonzero(counts <= np.where(self.is_fraud, frauds, others))
        return Labelled(
            features=self.features,
            ids=tuple(self.ids[number] for number in kept),
            instants=tuple(self.instants[number] for number in kept),
            is_fraud=self.is_fraud[kept],
            values=self.values[kept],
        )

    def auc_of(self, place: int) -> float:
        """How well one feature alone tells the frauds; see ``auc``."""
        return auc(self.values[:, place], self.is_fraud)

    def example(self, place: int) -> int:
        """The number of the fraud whose feature is furthest from what other rows usually have."""
        column = np.nan_to_num(self.values[:, place])
        usual = float(np.median(column[~self.is_fraud]))
        return int(np.argmax(np.where(self.is_fraud, np.abs(column - usual), -1.0)))


def labelled(rows: DataFrame, row: str, features: Sequence[str], target: Target) -> Labelled:
    """Draw frauds and others from rows whose labels have matured.

    Args:
        rows: ``as_of``, the row id in column ``row``, the features.
    """
    numbers = [name for name in features if isinstance(rows.schema[name].dataType, NumericType | BooleanType)]
    told = labels_of_rows(label_events(target.labels, target.sources), target.known_before)
    mature = rows.where(F.col(AS_OF) < F.lit(target.matured_before)).select(
        F.col(row).cast("string").alias(_ID),
        F.unix_micros(AS_OF).alias(_MICROS),
        *(F.col(name).cast("double").alias(f"_{place}") for place, name in enumerate(numbers)),
    )
    labels = mature.join(told.withColumnRenamed(ROW, _ID), on=_ID, how="left")
    known = verdict(F.col(LABELS), F.timestamp_micros(_MICROS), target.labels, F.lit(target.known_before))
    judged = (
        labels.withColumn(_IS_FRAUD, known == str(Verdict.FRAUD))
        .where(F.col(_IS_FRAUD).isNotNull())
        .drop(LABELS)
    )
    by_hash = judged.orderBy(F.xxhash64(_ID), _ID)
    drawn = (
        by_hash.where(_IS_FRAUD).limit(FRAUDS).unionByName(by_hash.where(f"NOT {_IS_FRAUD}").limit(OTHERS))
    )
    found = drawn.collect()
    values = np.array([one[2:-1] for one in found], dtype=np.float64).reshape(len(found), len(numbers))
    return Labelled(
        features=tuple(numbers),
        ids=tuple(one[_ID] for one in found),
        instants=tuple(at_micros(one[_MICROS]) for one in found),
        is_fraud=np.array([one[_IS_FRAUD] for one in found], dtype=np.bool_),
        values=values,
    )
