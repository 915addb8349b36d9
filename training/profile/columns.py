"""Figures of every column of a log, in one aggregation: sketches, so that memory does not grow with the rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, NumericType, StringType, StructField, TimestampType

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
LONGEST = 100
_ACCURACY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFigures:
    """One column.

    Attributes:
        filled: rows with a value; exact, as are ``least``, ``most``, ``mean``, ``deviation``, ``empty`` and lengths.
        distinct: how many values there are, within about 5 %.
        quantiles: values at ``QUANTILES`` of numbers and instants, within 0.01 % of the ranks; else empty.
        mean: of numbers.
        deviation: standard deviation of numbers; None for fewer than two.
        empty: texts of no length.
        lengths: least and greatest number of characters of texts.
    """

    name: str
    type: str
    about: str
    filled: int
    distinct: int
    least: str | None
    most: str | None
    quantiles: tuple[Any, ...] = ()
    mean: float | None = None
    deviation: float | None = None
    empty: int | None = None
    lengths: tuple[int, int] | None = None


def column_figures(rows: DataFrame) -> tuple[int, list[ColumnFigures]]:
    """How many rows there are, and the figures of each column; one pass over the rows.

    Texts are cut to 100 characters. No rows give figures of no values.
    """
    fields = list(rows.schema)
    figures = [
        figure.alias(f"{number}_{name}")
        for number, field in enumerate(fields)
        for name, figure in _figures(field).items()
    ]
    found = rows.agg(F.count("*").alias("rows"), *figures).collect()[0].asDict()
    return found["rows"], [
        _column(field, {name: found.get(f"{number}_{name}") for name in _NAMES})
        for number, field in enumerate(fields)
    ]


def shown(value: object) -> str | None:
    """A value as text, cut where it is long."""
    if value is None or isinstance(value, str):
        return None if value is None else cut(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def cut(text: str) -> str:
    """A text of at most 100 characters; what is left out is marked."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


_NAMES = ("filled", "distinct", "least", "most", "quantiles", "mean", "deviation", "empty", "short", "long")


def _figures(field: StructField) -> dict[str, Column]:
    column = F.col(f"`{field.name}`")
    # One character more than is shown tells that there is more.
    figures = {
        "filled": F.count(column),
        "distinct": F.approx_count_distinct(column),
        "least": F.substring(F.min(column).cast("string"), 1, LONGEST + 1),
        "most": F.substring(F.max(column).cast("string"), 1, LONGEST + 1),
    }
    if isinstance(field.dataType, NumericType | TimestampType):
        number = F.when(~F.isnan(column), column) if isinstance(field.dataType, DoubleType) else column
        figures["quantiles"] = F.percentile_approx(number, list(QUANTILES), _ACCURACY)
        if isinstance(field.dataType, NumericType):
            figures |= {"mean": F.avg(number.cast("double")), "deviation": F.stddev(number.cast("double"))}
    if isinstance(field.dataType, StringType):
        figures |= {
            "empty": F.count_if(column == ""),
            "short": F.min(F.length(column)),
            "long": F.max(F.length(column)),
        }
    return figures


def _column(field: StructField, found: dict[str, Any]) -> ColumnFigures:
    return ColumnFigures(
        name=field.name,
        type=field.dataType.simpleString(),
        about=field.metadata.get("comment", ""),
        filled=found["filled"],
        distinct=found["distinct"],
        least=shown(found["least"]),
        most=shown(found["most"]),
        quantiles=tuple(found["quantiles"] or ()),
        mean=found["mean"],
        deviation=found["deviation"],
        empty=found["empty"],
        lengths=None if found["short"] is None else (found["short"], found["long"]),
    )
