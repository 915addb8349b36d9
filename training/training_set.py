"""The training set: one row per spine row, what it looked like at ``as_of``, and what became known of it.

Rows carry no verdict but what was said of them and when, so every fold derives the labels it may see from one stored
frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, FloatType, MapType, StringType

from features.label_events import ROW
from features.labels import Label, Verdict
from features.verdicts import (
    LABELS,
    LABELS_TYPE,
    STATES,
    confidence,
    fraud_since,
    labels_of_rows,
    state,
    verdict,
)
from features.view import AS_OF
from lake.described import described
from lake.documents import Strict
from lake.layout import Layout
from lake.tables import TableSpec
from training.maturity.delays import maturity_of
from training.maturity.known_share import share_known
from training.splits import Draw, Fold
from training.weights import WeightSettings, weight

FEATURES, IS_FRAUD, IS_VALIDATION = "features", "is_fraud", "is_validation"
WEIGHT, AGE_DAYS, LOSS = "weight", "age_days", "loss"
_DAY_MICROS = 86_400_000_000
# The greatest float of 32 bits.
_LARGEST = 3.4028234663852886e38
_KNOWN = "fraud_known_at"
_ROW, _TOLD, _VERDICT, _DAY, _PART = "_row", "_told", "_verdict", "_day", "_part"


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
        f"{_KNOWN} timestamp: When the first label that stands said fraud (UTC); null where none does",
        "entity string: Hash of what reviewers look at",
        "amount double: Money at risk",
    )
    columns = columns.add(
        "slices", MapType(StringType(), StringType()), True, {"comment": "Slice values by name"}
    )
    columns = columns.add(
        FEATURES, ArrayType(FloatType()), True, {"comment": "Features in the order of the model's contract"}
    )
    columns = columns.add(
        LABELS, _labels_type(), True, {"comment": "What labels said before as_of of the training"}
    )
    comment = f"Rows that trainings of {model} saw, one per spine row and training"
    return TableSpec(f"training_{model}", comment, columns, layout=Layout(ranges=("run_key", AS_OF)))


def _labels_type() -> DataType:
    return DataType.fromDDL(LABELS_TYPE)


def feature_array(names: Sequence[str]) -> Column:
    """Features as one array of floats in the given order; null becomes NaN, which XGBoost reads as missing.

    What a float cannot hold, infinity too, becomes the greatest or least float: XGBoost takes no infinite values, and
    trees only ask what is greater.
    """
    return F.array(*(_float(F.col(name).cast("double")) for name in names))


def _float(value: Column) -> Column:
    is_too_large = (F.abs(value) > _LARGEST) & ~F.isnan(value)
    held = F.when(is_too_large, F.signum(value) * _LARGEST).otherwise(value)
    return F.coalesce(held, F.lit(float("nan"))).cast("float")


def training_set(
    rows: DataFrame,
    told: DataFrame,
    labels: Sequence[Label],
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
        told: label events, as ``label_events`` gives them; later ones change nothing.

    Returns:
        One row per row of ``rows``, in the columns of ``table_spec``. Identifiers are hashed.
    """
    slices = [
        part for name, sql in testing.slices.items() for part in (F.lit(name), F.expr(sql).cast("string"))
    ]
    amount = F.col(testing.amount).cast("double") if testing.amount else F.lit(None).cast("double")
    known = labels_of_rows(told, as_of).withColumnsRenamed({ROW: _ROW, LABELS: _TOLD})
    labelled = rows.withColumn(_ROW, F.col(row).cast("string")).join(known, on=_ROW, how="left")
    return labelled.select(
        F.lit(run_key).alias("run_key"),
        AS_OF,
        _hashed(F.col(row)).alias("row"),
        fraud_since(F.col(_TOLD), labels, F.lit(as_of)).alias(_KNOWN),
        _hashed(F.col(testing.entity or row)).alias("entity"),
        amount.alias("amount"),
        (F.create_map(*slices) if slices else F.lit(None)).cast("map<string,string>").alias("slices"),
        feature_array(features).alias(FEATURES),
        F.col(_TOLD).alias(LABELS),
    )


def with_labels(rows: DataFrame, labels: Sequence[Label]) -> DataFrame:
    """Stored rows with their labels, also those of a time when a row kept the instant of its first label alone."""
    if LABELS not in rows.columns:
        rows = rows.withColumn(LABELS, F.lit(None).cast(LABELS_TYPE))
    nothing, first = F.lit(None).cast("timestamp"), F.lit(labels[0].source)
    told = F.struct(_KNOWN, nothing, first, F.lit(str(Verdict.FRAUD)), F.lit(None).cast("string"), F.lit(1.0))
    alone = F.when(F.col(_KNOWN).isNotNull(), F.array(told).cast(LABELS_TYPE))
    return rows.withColumn(LABELS, F.coalesce(LABELS, alone))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """The rows that one training stored, read by fold.

    Attributes:
        rows: in the columns of ``table_spec``.
        labels: the sources whose labels they hold.
    """

    rows: DataFrame
    labels: tuple[Label, ...]
    testing: TestSettings
    weights: WeightSettings

    def train_rows(self, fold: Fold) -> DataFrame:
        """A fold's training rows whose label is known when its test begins.

        Returns:
            ``row``, ``is_fraud``, ``loss`` (the amount of a fraud, else 0), ``weight``, ``age_days`` (before the end of
            the period), ``features``.
        """
        before = fold.labels_known_before
        rows = self._judged(fold.train_from, fold.train_to, before)
        if fold.draw is not None:
            rows = _parted(rows, fold.draw).where(~F.col(_PART).isin(*_apart(fold.draw)))
        if fold.entities_apart:
            rows = rows.join(self._tested(fold).select("entity").distinct(), on="entity", how="left_anti")
        age = (F.unix_micros(F.lit(fold.train_to)) - F.unix_micros(AS_OF)) / _DAY_MICROS
        weight_of_row = self._weight(rows, before).alias(WEIGHT)
        return rows.select("row", _is_fraud(), _loss(), weight_of_row, age.alias(AGE_DAYS), FEATURES)

    def test_rows(self, fold: Fold) -> DataFrame:
        """A fold's test rows whose label is known when it is judged, less the entities known bad by then.

        Returns:
            ``row``, ``as_of``, ``entity``, ``amount``, ``slices``, ``is_fraud``, ``loss``, ``features``.
        """
        rows = self._tested(fold)
        if self.testing.forget_known_bad_days:
            rows = rows.withColumn(_DAY, F.date_trunc("day", AS_OF))
            rows = rows.join(self._known_bad(fold), on=["entity", _DAY], how="left_anti")
        return rows.select("row", AS_OF, "entity", "amount", "slices", _is_fraud(), _loss(), FEATURES)

    def states(self, fold: Fold) -> dict[str, dict[str, int]]:
        """How many rows of a fold's training and of its test are in which state; see ``verdicts.state``.

        Parts drawn by chance share out the rows with a verdict, so there the states are those of all rows.
        """
        if fold.draw is not None:
            return {"all": self._states(_between(fold.train_from, fold.train_to), fold.judged_at)}
        return {
            part: self._states(_between(begin, end), before)
            for part, begin, end, before in (
                ("train", fold.train_from, fold.train_to, fold.labels_known_before),
                ("test", fold.test_from, fold.test_to, fold.judged_at),
            )
        }

    def _tested(self, fold: Fold) -> DataFrame:
        rows = self._judged(fold.test_from, fold.test_to, fold.judged_at)
        return rows if fold.draw is None else _parted(rows, fold.draw).where(F.col(_PART) == fold.draw.tested)

    def _judged(self, begin: datetime, end: datetime, before: datetime) -> DataFrame:
        """Rows of a period with the verdict known before an instant; those without one are left out."""
        rows = self.rows.where(_between(begin, end))
        known = verdict(F.col(LABELS), F.col(AS_OF), self.labels, F.lit(before))
        return rows.withColumn(_VERDICT, known).where(F.col(_VERDICT).isNotNull())

    def _states(self, chosen: Column, before: datetime) -> dict[str, int]:
        found = state(F.col(LABELS), F.col(AS_OF), self.labels, F.lit(before))
        counted = (
            self.rows.where(chosen).groupBy(found.alias("state")).agg(F.count("*").alias("rows")).collect()
        )
        rows = {one["state"]: one["rows"] for one in counted}
        return {name: rows.get(name, 0) for name in STATES}

    def _known_bad(self, fold: Fold) -> DataFrame:
        """Entities with the days of the test at whose beginning one of their rows was known as fraud."""
        since = fold.test_from - timedelta(days=self.testing.forget_known_bad_days)
        days = F.sequence(
            F.date_trunc("day", F.lit(fold.test_from)), F.lit(fold.test_to), F.expr("INTERVAL 1 DAY")
        )
        accused = self.rows.where((F.col(AS_OF) >= F.lit(since)) & (F.size(LABELS) > 0))
        daily = accused.select("entity", AS_OF, LABELS, F.explode(days).alias(_DAY))
        known = verdict(F.col(LABELS), F.col(AS_OF), self.labels, F.col(_DAY))
        return daily.where(known == str(Verdict.FRAUD)).select("entity", _DAY).distinct()

    def _weight(self, rows: DataFrame, before: datetime) -> Column:
        sure = confidence(F.col(LABELS), F.col(_VERDICT), F.lit(before))
        known = F.lit(1.0)
        if self.weights.maturity:
            known = share_known(maturity_of(rows, self.labels, before), F.col(AS_OF), before)
        return weight(self.weights, _verdict_is_fraud(), amount=F.col("amount"), confidence=sure, known=known)


def _between(begin: datetime, end: datetime) -> Column:
    return (F.col(AS_OF) >= F.lit(begin)) & (F.col(AS_OF) < F.lit(end))


def _parted(rows: DataFrame, draw: Draw) -> DataFrame:
    """Rows with the number of their part, of which each has its share of every verdict."""
    by_chance = Window.partitionBy(_VERDICT).orderBy(F.xxhash64("row", F.lit(draw.seed)), "row")
    return rows.withColumn(_PART, F.pmod(F.row_number().over(by_chance), F.lit(draw.parts)))


def _apart(draw: Draw) -> list[int]:
    """The parts that are not trained on."""
    return [draw.tested] if draw.left_out is None else [draw.tested, draw.left_out]


def _verdict_is_fraud() -> Column:
    return F.col(_VERDICT) == str(Verdict.FRAUD)


def _is_fraud() -> Column:
    return _verdict_is_fraud().alias(IS_FRAUD)


def _loss() -> Column:
    return F.when(_verdict_is_fraud(), F.coalesce("amount", F.lit(0.0))).otherwise(0.0).alias(LOSS)


def _hashed(identifier: Column) -> Column:
    return F.sha2(identifier.cast("string"), 256)
