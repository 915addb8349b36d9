"""The table of maturity curves: one row per training, source and day."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession

from lake.described import described
from lake.tables import TableSpec
from training.maturity.curve import Curve

LABEL_MATURITY = TableSpec(
    "label_maturity",
    "One row per training, source of labels and day: how many labels had come so long after what they label",
    described(
        "run_key string: Training that measured it",
        "model string: Registered name of the model",
        "source string: Log of label events; all for the first label of any",
        "day long: Whole days after the labelled row",
        "at_risk long: Rows without a label before the day that were watched through it",
        "labelled long: Rows whose label came on the day",
        "share double: Of all rows, those labelled by the day",
        "share_low double: Lower limit of the share (95 %); null where it is unknown",
        "share_high double: Upper limit of the share (95 %); null where it is unknown",
        "known double: Of the labels that come at all, those that came by the day",
        "known_low double: Lower limit (95 %)",
        "known_high double: Upper limit (95 %)",
    ),
)


def maturity_rows(spark: SparkSession, run_key: str, model: str, curves: Mapping[str, Curve]) -> DataFrame:
    """The rows of one training; sources without labels have none."""
    rows = [
        (
            run_key,
            model,
            source,
            *counts,
            *(float(value) if math.isfinite(value) else None for value in shares),
        )
        for source, curve in curves.items()
        for counts, shares in zip(_counts(curve), _shares(curve), strict=True)
    ]
    return spark.createDataFrame(rows, LABEL_MATURITY.schema)


def _counts(curve: Curve) -> list[tuple[int, int, int]]:
    return list(zip(curve.days.tolist(), curve.at_risk.tolist(), curve.labelled.tolist(), strict=True))


def _shares(curve: Curve) -> list[tuple[float, ...]]:
    columns = curve.share, curve.share_low, curve.share_high, curve.known, curve.known_low, curve.known_high
    return list(zip(*(column.tolist() for column in columns), strict=True))
