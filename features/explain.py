"""Evidence for a windowed feature: every row of the entity's key, whether it counts, and if not, why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType

from features.declare import FeatureGroup, FeatureView, Measure
from features.declare import Window as Span
from features.links import source_of
from features.source import Source
from features.view import AS_OF
from features.windows.decay import reach
from features.windows.plan import SLOTS, PlannedGroup, plan_group
from lake.contracts import RETRACTION, REVISION
from lake.errors import SchemaError

COUNTS = "counts"
IN_THE_FUTURE, SAME_INSTANT, TOO_OLD = "in the future", "same instant", "too old"
TOO_LATE, WAITS = "too late", "waits for its row"
RETRACTED, CORRECTED = "retracted", "corrected"
NOT_MEASURED, NOT_AT_THE_PEAK = "not measured", "not at the peak"

# Where several reasons hold, the first of these is given: what a row is left out for is what kept it from counting
# though all before it was in order.
VERDICTS = (
    COUNTS, IN_THE_FUTURE, SAME_INSTANT, TOO_OLD, TOO_LATE, WAITS, RETRACTED, CORRECTED, NOT_MEASURED, NOT_AT_THE_PEAK,
)  # fmt: skip

_DIGITS = 38


@dataclass(frozen=True, slots=True)
class Windowed:
    """A windowed feature: a measure of a group over one of its windows."""

    group: FeatureGroup
    measure: Measure
    window: Span

    @property
    def micros(self) -> int | None:
        """How old a row may be, in microseconds; None is however old."""
        if self.measure.kind == "decayed" and self.measure.span:
            return reach(self.measure.span.micros or 0, self.window.micros)
        return self.window.micros


def windowed(view: FeatureView) -> dict[str, Windowed]:
    """The windowed features of a view by name."""
    return {
        group.feature(measure, window): Windowed(group, measure, window)
        for group in view.groups
        for measure in group.measures
        for window in group.windows
    }


def evidence(view: FeatureView, feature: str, spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
    """What one windowed feature of some spine rows was computed from, and what was left out.

    Args:
        spine: the rows to explain: row id, ``as_of``, the entity's key. Meant for few rows.
        sources: events by log name. What is not in them cannot be listed.

    Returns:
        One row per spine row and row of the group's source with its key; none where the key is null. Retractions are
        reasons, not rows. Columns: ``row_id`` of the spine, ``source_row``, ``event_at``, ``known_at`` (UTC), ``value``
        that the measure reads, as text (null where it reads none), ``verdict``, and ``contribution`` of rows that
        count: 1 to a count, the value to a sum, 1 to the peak of a burst, the slot taken to an approximate distinct
        count; null for all other measures. For counts, sums and bursts contributions add up to the feature's value.

        Verdicts, in the order in which they are given: ``in the future`` (event_at > as_of), ``same instant``,
        ``too old`` (before the window, or decayed to nothing), ``too late`` (known_at >= as_of), ``waits for its row``
        (a correction of a row that was not known before as_of), ``retracted`` and ``corrected`` (what next befell the
        row, before as_of), ``not measured`` (a ``where`` is not true, or the value is null), ``counts``. A burst counts
        the rows that stood in its span at its first peak, whatever became of them; others that are in order are ``not
        at the peak``.

    Raises:
        SchemaError: the view has no such windowed feature.
    """
    asked = windowed(view).get(feature)
    if asked is None:
        raise SchemaError(
            f"{feature} is no windowed feature of view {view.name}, and only those are computed from other rows; "
            "name an entity's measure with its window"
        )
    planned = plan_group(asked.group, 1, source_of(asked.group, sources))
    keys = [f"key_{number}" for number in range(len(asked.group.keys))]
    entity = zip(asked.group.entity.keys, keys, strict=True)
    asking = spine.select(
        F.col(view.spine.row).cast("string").alias("row_id"),
        F.unix_micros(AS_OF).alias("probe"),
        *(F.col(name).alias(key) for name, key in entity),
    )
    # A hint, because Spark cannot know how few rows are asked for, and would shuffle the whole log.
    rows = _read(asked, planned, keys).join(F.broadcast(asking), on=keys, how="inner")
    judged = _in_effect(rows, planned.source).withColumn("verdict", _verdict(asked.micros))
    if asked.measure.kind == "burst":
        judged = _of_burst(judged, asked)
    counted = F.when(F.col("verdict") == COUNTS, F.col("contribution"))
    return judged.where("NOT is_retraction").select(
        "row_id", "source_row", "event_at", "known_at", "value", "verdict", counted.alias("contribution")
    )


def _read(asked: Windowed, planned: PlannedGroup, keys: list[str]) -> DataFrame:
    """The source's rows as the group and the measure see them; times in microseconds beside the instants."""
    group, measure, source = asked.group, asked.measure, planned.source
    values = [*planned.values.numbers, *planned.values.texts]
    conditions = [F.coalesce(F.expr(text), F.lit(False)) for text in (group.where, measure.where) if text]
    read = F.lit(None).cast("string") if measure.of is None else F.expr(measure.of)
    measured = F.lit(True) if measure.of is None else read.isNotNull()
    for condition in conditions:
        measured &= condition
    revision = F.col(REVISION) if source.is_revised else F.lit(None).cast("string")
    return source.rows.select(
        *(F.col(name).alias(key) for name, key in zip(group.keys, keys, strict=True)),
        source.row_id.alias("source_row"),
        "event_at",
        "known_at",
        F.unix_micros("event_at").alias("at"),
        F.unix_micros("known_at").alias("known"),
        F.unix_micros(source.told_at).alias("told"),
        revision.isNotNull().alias("is_revision"),
        F.equal_null(revision, F.lit(RETRACTION)).alias("is_retraction"),
        F.struct(F.unix_micros("event_at"), *values).alias("tie"),
        read.cast("string").alias("value"),
        measured.alias("is_measured"),
        _contribution(measure, source, read).alias("contribution"),
    )


def _contribution(measure: Measure, source: Source, read: Column) -> Column:
    match measure.kind:
        case "count" | "burst":
            return F.lit(1).cast(DecimalType(_DIGITS, 0))
        case "sum":
            found = source.rows.select(read).schema[0].dataType
            exact = found.scale if isinstance(found, DecimalType) else 0
            return (read if exact else read.cast("long")).cast(DecimalType(_DIGITS, exact))
        case "approx_distinct":
            return F.pmod(F.xxhash64(read), F.lit(SLOTS)).cast(DecimalType(_DIGITS, 0))
        case _:
            return F.lit(None).cast(DecimalType(_DIGITS, 0))


def _in_effect(rows: DataFrame, source: Source) -> DataFrame:
    """Add from when each row is in effect (``begins``, null is never), what ends that, and when (null is never).

    A row and its revisions follow each other as they became known, the row first and a retraction after a correction
    of the same instant, then by time and values as in ``settled.in_order``; a revision takes effect no sooner than its
    row.
    """
    if not source.is_revised:
        never, nothing = F.lit(None).cast("long"), F.lit(None).cast("string")
        return rows.withColumns({"begins": F.col("known"), "ended": never, "ended_by": nothing})
    of_row = Window.partitionBy("row_id", "source_row")
    in_order = of_row.orderBy("is_revision", "told", "is_retraction", "tie")
    whole = of_row.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    arrived = F.min(F.when(~F.col("is_revision"), F.col("known"))).over(whole)
    begins = F.when(arrived.isNotNull(), F.greatest(F.col("known"), arrived))
    next_is_retraction = F.lead("is_retraction").over(in_order)
    return rows.withColumn("begins", begins).withColumns(
        {
            "ended": F.lead("begins").over(in_order),
            "ended_by": F.when(next_is_retraction, RETRACTED).otherwise(CORRECTED),
        }
    )


def _verdict(micros: int | None) -> Column:
    """The first reason that holds against a row, or that it counts."""
    at, known, begins, ended, probe = (F.col(name) for name in ("at", "known", "begins", "ended", "probe"))
    is_old = F.lit(False) if micros is None else probe - at > micros
    return (
        F.when(at > probe, IN_THE_FUTURE)
        .when(at == probe, SAME_INSTANT)
        .when(is_old, TOO_OLD)
        .when(known >= probe, TOO_LATE)
        .when(begins.isNull() | (begins >= probe), WAITS)
        .when(ended < probe, F.col("ended_by"))
        .when(~F.col("is_measured"), NOT_MEASURED)
        .otherwise(COUNTS)
    )


def _of_burst(judged: DataFrame, asked: Windowed) -> DataFrame:
    """Let count what stood in the span when it first held the most.

    A row comes when it is in effect and goes when it is older than the span or something ends it. How many rows stand
    is looked at whenever one comes within the window.
    """
    span = asked.measure.span.micros or 0 if asked.measure.span else 0
    probe, comes, goes, stands = (F.col(name) for name in ("probe", "comes", "goes", "stands"))
    does_stand = F.col("is_measured") & ~F.col("is_retraction") & (comes < goes)
    rows = judged.withColumns(
        {
            "comes": F.when(F.col("begins").isNotNull(), F.greatest("begins", "at")),
            "goes": F.least(F.col("at") + span, F.col("ended")),
        }
    ).withColumn("stands", F.coalesce(does_stand, F.lit(False)))
    step = stands.cast("int")
    sides = [
        F.struct(comes.alias("at"), step.alias("step")),
        F.struct(goes.alias("at"), (-step).alias("step")),
    ]
    moves = rows.select("*", F.posexplode(F.array(*sides)).alias("side", "move"))
    of_probe = Window.partitionBy("row_id")
    so_far = of_probe.orderBy("move.at").rangeBetween(Window.unboundedPreceding, Window.currentRow)
    whole = of_probe.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    arrivals = moves.withColumn("height", F.sum("move.step").over(so_far)).where("side = 0")
    is_seen = stands & (comes < probe)
    if asked.micros is not None:
        is_seen &= comes >= probe - asked.micros
    highest = F.max(F.when(is_seen, F.struct("height", (-comes).alias("minus_at")))).over(whole)
    peak_at = -highest["minus_at"]
    at_peak = stands & (comes <= peak_at) & (goes > peak_at)
    others = F.when(F.col("verdict") == COUNTS, NOT_AT_THE_PEAK).otherwise(F.col("verdict"))
    return arrivals.withColumn("at_peak", at_peak).withColumn(
        "verdict", F.when(F.col("at_peak"), COUNTS).otherwise(others)
    )
