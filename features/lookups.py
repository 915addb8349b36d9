"""The last change of an entity that was known before each spine row's ``as_of``, from append-only change logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from features.declare import Lookup
from features.declare.window import MICROS_PER_HOUR
from features.derived_source import events_of
from features.source import Source, text_of
from lake.errors import SchemaError

_KEY, _SHARE, _AT, _SPINE = "_key", "_share", "_at", "_spine"
_EVENT, _DELETES = "event", "deletes"
_WAYS_WITHOUT_KEY = 1024


def looked_up(
    lookups: Sequence[Lookup],
    spine: DataFrame,
    sources: Mapping[str, Source],
    *,
    row: str,
    tasks: int | None = None,
) -> DataFrame:
    """Spine rows with what all look-ups of one entity find for them, in one exchange of the spine and the changes.

    Args:
        lookups: at least one; all of the same entity.
        spine: the row id, ``as_of``, the entity's key, and whatever else is to stay.
        row: the name of the row id.
        tasks: how many tasks share the rows. None leaves it to Spark.

    Returns:
        One row per spine row: its columns, and every name of every look-up in the type of its log; null without a key.

    Raises:
        SchemaError: a log lacks a column, can be revised, or has a key of another type than the spine.
    """
    shares = max(lookup.spread for lookup in lookups)
    key = _key(lookups[0].entity.keys)
    # Rows without a key meet no change; together they would make one large task.
    ways = F.when(key.isNull(), _WAYS_WITHOUT_KEY).otherwise(shares)
    probes = spine.select(
        key.alias(_KEY),
        F.pmod(F.xxhash64(F.col(row).cast("string")), ways).alias(_SHARE),
        F.unix_micros("as_of").alias(_AT),
        F.struct(*spine.columns).alias(_SPINE),
    )
    changes = [
        _changes(lookup, number, spine, events_of(lookup.source, sources), shares)
        for number, lookup in enumerate(lookups)
    ]
    rows = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), changes, probes)
    if tasks is not None:
        rows = rows.repartition(tasks, _KEY, _SHARE)
    # Strictly before: a change of the very instant is not known yet.
    before = Window.partitionBy(_KEY, _SHARE).orderBy(_AT).rangeBetween(Window.unboundedPreceding, -1)
    last = {_slot(number): F.max(_slot(number)).over(before) for number in range(len(lookups))}
    found = rows.withColumns(last).where(F.col(_SPINE).isNotNull())
    values = [
        value for number, lookup in enumerate(lookups) for value in _values(lookup, F.col(_slot(number)))
    ]
    return found.select(f"{_SPINE}.*", *values)


def _changes(lookup: Lookup, number: int, spine: DataFrame, source: Source, shares: int) -> DataFrame:
    """The log's rows, each at the instant from which it can be seen; the greatest of those seen is the last."""
    _check(lookup, spine, source)
    change = F.struct(
        *place(lookup, source),
        deletes(lookup).alias(_DELETES),
        *(F.expr(one.sql).alias(f"value_{n}") for n, one in enumerate(lookup.picked)),
    )
    every_share = F.sequence(F.lit(0), F.lit(shares - 1)).cast("array<bigint>")
    return source.rows.select(
        _key(lookup.keys).alias(_KEY),
        F.explode(every_share).alias(_SHARE),
        F.greatest(F.unix_micros("event_at"), F.unix_micros("known_at")).alias(_AT),
        change.alias(_slot(number)),
    ).where(F.col(_KEY).isNotNull())


def place(lookup: Lookup, source: Source) -> list[Column]:
    """What puts changes in order."""
    number = [] if lookup.order_by is None else [F.col(lookup.order_by).alias("number")]
    return [*number, F.unix_micros("event_at").alias(_EVENT), source.row_id.alias("id")]


def deletes(lookup: Lookup) -> Column:
    """Whether a change deletes."""
    return F.lit(False) if lookup.deleted is None else F.coalesce(F.expr(lookup.deleted), F.lit(False))


def is_fresh(lookup: Lookup, micros: Column) -> Column:
    """Whether a change of that age, in microseconds, still stands."""
    if lookup.stale_after is None or lookup.stale_after.micros is None:
        return F.lit(True)
    return micros <= lookup.stale_after.micros


def _values(lookup: Lookup, change: Column) -> list[Column]:
    """What the last change says, under the names of the look-up."""
    micros = F.col(_AT) - change[_EVENT]
    stands = ~change[_DELETES] & is_fresh(lookup, micros)
    said = [
        F.when(stands, change[f"value_{number}"]).alias(one.name) for number, one in enumerate(lookup.picked)
    ]
    return [*said, (micros / MICROS_PER_HOUR).alias(lookup.age)]


def _check(lookup: Lookup, spine: DataFrame, source: Source) -> None:
    where, rows = f"{lookup.declared}: look-up of {lookup.entity.name} in {lookup.source}", source.rows
    needed = ["event_at", "known_at", *lookup.keys, *([lookup.order_by] if lookup.order_by else [])]
    absent = [name for name in needed if name not in rows.columns]
    if absent:
        raise SchemaError(f"{where}: there is no {', '.join(absent)}; there are {', '.join(rows.columns)}")
    if source.is_revised:
        raise SchemaError(
            f"{where}: its rows can be taken back, and a look-up reads changes that are only added to; "
            "write a correction as a change of its own"
        )
    for own, theirs in zip(lookup.entity.keys, lookup.keys, strict=True):
        found, expected = rows.schema[theirs].dataType, spine.schema[own].dataType
        if found != expected:
            raise SchemaError(
                f"{where}: {theirs} is {found.simpleString()}, the spine's {own} is {expected.simpleString()}; "
                f"give the key of {lookup.entity.name} one type in both contracts"
            )


def _slot(number: int) -> str:
    """The column that carries a look-up's changes."""
    return f"_change_{number}"


def _key(columns: tuple[str, ...]) -> Column:
    return F.col(columns[0]) if len(columns) == 1 else text_of(columns)
