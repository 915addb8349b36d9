"""The training set: one row per spine row, what it looked like at ``as_of``, and when it became known as fraud.

Rows carry no verdict but the instant of it, so every fold derives the labels it may see from one stored frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, FloatType, MapType, StringType

from features.labels import Label
from features.view import AS_OF
from lake.described import described
from lake.documents import Strict
from lake.layout import Layout
from lake.tables import TableSpec
from training.known_labels import first_told
from training.splits import Fold

FEATURES, IS_FRAUD, IS_VALIDATION = "features", "is_fraud", "is_validation"
_KNOWN = "fraud_known_at"


class TestSettings(Strict):
    """Which rows a test judges, and what is known of them beside the score.

    Attributes:
        entity: column whose values are what reviewers look at, such as the customer.
        forget_known_bad_days: leave out of a test the entities known as bad at the start of the row's day, from rows
            of this many days before the test begins; as production would have blocked them. 0 leaves them in.
        amount: column with the money at risk of a row.
        slices: SQL expressions over the feature table by whose values quality is shown apart.
    """

    entity: str | None = None
    forget_known_bad_days: Annotated[int, Field(ge=0)] = 0
    amount: str | None = None
    slices: Mapping[str, str] = Field(default_factory=dict)


def table_spec(model: str) -> TableSpec:
    """The stored training sets of a model."""
    columns = described(
        "run_key string: Training this row belongs to",
        "as_of timestamp: Instant the row describes (UTC)",
        "row string: Hash of the spine row's id",
        f"{_KNOWN} timestamp: When a label first said fraud (UTC); null where none did",
        "entity string: Hash of what reviewers look at",
        "amount double: Money at risk",
    )
    columns = columns.add(
        "slices", MapType(StringType(), StringType()), True, {"comment": "Slice values by name"}
    )
    columns = columns.add(
        FEATURES, ArrayType(FloatType()), True, {"comment": "Features in the order of the model's contract"}
    )
    comment = f"Rows that trainings of {model} saw, one per spine row and training"
    return TableSpec(f"training_{model}", comment, columns, layout=Layout(ranges=("run_key", AS_OF)))


def feature_array(names: Sequence[str]) -> Column:
    """Features as one array of floats in the given order; null becomes NaN, which XGBoost reads as missing."""
    values = [
        F.coalesce(F.col(name).cast("double").cast("float"), F.lit(float("nan")).cast("float"))
        for name in names
    ]
    return F.array(*values)


def training_set(
    rows: DataFrame,
    label_events: DataFrame,
    label: Label,
    testing: TestSettings,
    *,
    row: str,
    features: Sequence[str],
    run_key: str,
    as_of: datetime,
) -> DataFrame:
    """Join feature rows with what labels said before ``as_of``.

    Args:
        rows: the feature table's rows: ``as_of``, row id, features, and the columns the test settings name.
        label_events: ``known_at`` and the label's columns.

    Returns:
        One row per row of ``rows``, in the columns of ``table_spec``. Identifiers are hashed.
    """
    first = first_told(label_events, label, row=row, told_at=_KNOWN, as_of=as_of)
    slices = [
        part for name, sql in testing.slices.items() for part in (F.lit(name), F.expr(sql).cast("string"))
    ]
    amount = F.col(testing.amount).cast("double") if testing.amount else F.lit(None).cast("double")
    return rows.join(first, on=row, how="left").select(
        F.lit(run_key).alias("run_key"),
        AS_OF,
        _hashed(F.col(row)).alias("row"),
        _KNOWN,
        _hashed(F.col(testing.entity or row)).alias("entity"),
        amount.alias("amount"),
        (F.create_map(*slices) if slices else F.lit(None)).cast("map<string,string>").alias("slices"),
        feature_array(features).alias(FEATURES),
    )


def train_rows(stored: DataFrame, fold: Fold) -> DataFrame:
    """A fold's training rows with the labels known when its test begins: ``is_fraud``, ``features``, ``row``."""
    rows = stored.where(_between(fold.train_from, fold.train_to))
    return rows.select("row", _verdict(fold.labels_known_before), FEATURES)


def test_rows(stored: DataFrame, fold: Fold, testing: TestSettings) -> DataFrame:
    """A fold's test rows with the labels known when it is judged, less the entities known bad by then.

    Returns:
        ``row``, ``as_of``, ``entity``, ``amount``, ``slices``, ``is_fraud``, ``features``.
    """
    rows = stored.where(_between(fold.test_from, fold.test_to))
    if testing.forget_known_bad_days:
        since = fold.test_from - timedelta(days=testing.forget_known_bad_days)
        bad = (
            stored.where(F.col(AS_OF) >= F.lit(since)).groupBy("entity").agg(F.min(_KNOWN).alias("bad_since"))
        )
        day = F.date_trunc("day", AS_OF)
        unknown = F.col("bad_since").isNull() | (F.col("bad_since") >= day)
        rows = rows.join(bad, on="entity", how="left").where(unknown)
    return rows.select("row", AS_OF, "entity", "amount", "slices", _verdict(fold.judged_at), FEATURES)


def _between(begin: datetime, end: datetime) -> Column:
    return (F.col(AS_OF) >= F.lit(begin)) & (F.col(AS_OF) < F.lit(end))


def _verdict(known_before: datetime) -> Column:
    return F.coalesce(F.col(_KNOWN) < F.lit(known_before), F.lit(False)).alias(IS_FRAUD)


def _hashed(identifier: Column) -> Column:
    return F.sha2(identifier.cast("string"), 256)
