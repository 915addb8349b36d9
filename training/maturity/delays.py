"""How long labels of rows took, counted by day, and the curves that follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.label_events import KNOWN_AT, SOURCE, VERDICT
from features.labels import Label, Verdict
from features.verdicts import LABELS
from features.view import AS_OF
from training.maturity.curve import Curve, maturity_curve

ALL_SOURCES = "all"
_DAY = 86_400_000_000


def maturity_of(rows: DataFrame, labels: Sequence[Label], before: datetime) -> Curve:
    """The curve of the first label, of any source, that says fraud."""
    return curves(rows, labels, before)[ALL_SOURCES]


def curves(rows: DataFrame, labels: Sequence[Label], before: datetime) -> dict[str, Curve]:
    """The maturity curve of each source, and of the first label of any of them under ``all``.

    Args:
        rows: ``as_of`` and ``labels``. A row is watched until ``before``, or until a source clears or censors it.
    """
    names = [label.source for label in labels]
    followed = {name: _followed(name, before) for name in names} | {ALL_SOURCES: _followed(None, before)}
    marks = [F.struct(F.lit(name).alias("name"), *parts) for name, parts in followed.items()]
    each = (
        rows.where(F.col(AS_OF) < F.lit(before))
        .select(F.explode(F.array(*marks)).alias("one"))
        .select("one.*")
    )
    counted = each.groupBy("name", "day", "is_labelled").agg(F.count("*").alias("rows")).collect()
    labelled = {name: Counter[int]() for name in followed}
    censored = {name: Counter[int]() for name in followed}
    for one in counted:
        (labelled if one["is_labelled"] else censored)[one["name"]][one["day"]] += one["rows"]
    return {name: maturity_curve(labelled[name], censored[name]) for name in followed}


def _followed(source: str | None, before: datetime) -> tuple[Column, Column]:
    """``day`` and ``is_labelled``: when the row's label came, or through which whole day it was watched in vain."""
    seen = _first(source, before, Verdict.FRAUD)
    ended = _first(source, before, Verdict.NOT_FRAUD, Verdict.CENSORED)
    start = F.unix_micros(AS_OF)
    watched = F.floor((F.least(F.unix_micros(F.lit(before)), ended) - start) / _DAY)
    came = F.when(seen.isNotNull(), F.greatest(F.ceil((seen - start) / _DAY), F.lit(0)))
    # A label of a day that is not over would be seen, and the lack of one would not.
    is_labelled = F.coalesce(came <= watched, F.lit(False))
    day = F.greatest(F.when(is_labelled, came).otherwise(watched), F.lit(0))
    return day.cast("long").alias("day"), is_labelled.alias("is_labelled")


def _first(source: str | None, before: datetime, *verdicts: Verdict) -> Column:
    def is_meant(label: Column) -> Column:
        meant = (label[KNOWN_AT] < F.lit(before)) & label[VERDICT].isin(*map(str, verdicts))
        return meant if source is None else meant & (label[SOURCE] == source)

    return F.array_min(F.transform(F.filter(LABELS, is_meant), lambda label: F.unix_micros(label[KNOWN_AT])))
