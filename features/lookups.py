"""The last change of an entity that was known before each spine row's ``as_of``, from append-only change logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from features.declare import Lookup
from features.declare.window import MICROS_PER_HOUR
from features.derived_source import events_of
from features.last_changes import CHANGE, DELETES, EVENT, KEY, SEEN_FROM, changes
from features.source import Source, key_of
from features.windows.state import State
from lake.errors import SchemaError

_SHARE, _AT, _SPINE = "_share", "_at", "_spine"
_WAYS_WITHOUT_KEY = 1024


def looked_up(
    lookups: Sequence[Lookup],
    spine: DataFrame,
    sources: Mapping[str, Source],
    *,
    row: str,
    tasks: int | None = None,
    state: State | None = None,
) -> DataFrame:
    """Spine rows with what all look-ups of one entity find for them, in one exchange of the spine and the changes.

    Args:
        lookups: at least one; all of the same entity.
        spine: the row id, ``as_of``, the entity's key, and whatever else is to stay.
        row: the name of the row id.
        tasks: how many tasks share the rows. None leaves it to Spark.
        state: what stands for changes of long ago; every spine row is later.

    Returns:
        One row per spine row: its columns, and every name of every look-up in the type of its log; null without a key.

    Raises:
        SchemaError: a log lacks a column, can be revised, or has a key of another type than the spine.
    """
    shares = max(lookup.spread for lookup in lookups)
    key = key_of(lookups[0].entity.keys)
    # Rows without a key meet no change; together they would make one large task.
    ways = F.when(key.isNull(), _WAYS_WITHOUT_KEY).otherwise(shares)
    probes = spine.select(
        key.alias(KEY),
        F.pmod(F.xxhash64(F.col(row).cast("string")), ways).alias(_SHARE),
        F.unix_micros("as_of").alias(_AT),
        F.struct(*spine.columns).alias(_SPINE),
    )
    every_share = F.sequence(F.lit(0), F.lit(shares - 1)).cast("array<bigint>")
    rows = probes
    for number, lookup in enumerate(lookups):
        _check(lookup, spine, events_of(lookup.source, sources))
        seen = changes(lookup, sources, None if state is None else state.changes(number)).select(
            KEY,
            F.explode(every_share).alias(_SHARE),
            F.col(SEEN_FROM).alias(_AT),
            F.col(CHANGE).alias(_slot(number)),
        )
        rows = rows.unionByName(seen, allowMissingColumns=True)
    if tasks is not None:
        rows = rows.repartition(tasks, KEY, _SHARE)
    # Strictly before: a change of the very instant is not known yet.
    before = Window.partitionBy(KEY, _SHARE).orderBy(_AT).rangeBetween(Window.unboundedPreceding, -1)
    last = {_slot(number): F.max(_slot(number)).over(before) for number in range(len(lookups))}
    found = rows.withColumns(last).where(F.col(_SPINE).isNotNull())
    values = [
        value for number, lookup in enumerate(lookups) for value in _values(lookup, F.col(_slot(number)))
    ]
    return found.select(f"{_SPINE}.*", *values)


def is_fresh(lookup: Lookup, micros: Column) -> Column:
    """Whether a change of that age, in microseconds, still stands."""
    if lookup.stale_after is None or lookup.stale_after.micros is None:
        return F.lit(True)
    return micros <= lookup.stale_after.micros


def _values(lookup: Lookup, change: Column) -> list[Column]:
    """What the last change says, under the names of the look-up."""
    micros = F.col(_AT) - change[EVENT]
    stands = ~change[DELETES] & is_fresh(lookup, micros)
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
