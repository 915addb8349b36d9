"""Revised rows in a state: it stands for a key's rows as they were in effect then, until one of them is revised again.

From then on that key is read whole. So is one with a revision that its time does not bring together with its row: that
corrects the time, that waits for its row, or that means a row which happens after the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.began import known_between
from features.source import key_of
from features.windows.block import IS_REVISION, KEY, KNOWN, ROLE, STREAM, TIME, TOLD
from features.windows.plan import PlannedGroup
from features.windows.settled import has_role, in_effect, in_order
from features.windows.state import State
from lake.contracts import REVISION

# More of them in a filter cost more than reading all.
_MOST_KEYS = 10_000


def told_rereads(state: State, planned: Sequence[PlannedGroup], until: int | None = None) -> State:
    """The state, told which keys of which groups it does not stand for. Reads its marks and the revisions since.

    Args:
        until: what became known later does not matter, in microseconds.
    """
    found = dict(state.rereads)
    for one in planned:
        if one.stream.has_bounds and one.stream.is_revised:
            came = one.where(F.col(REVISION).isNotNull() & known_between(state.until, until)).source.rows
            revised = came.select(key_of(one.group.keys).alias(KEY)).where(F.col(KEY).isNotNull())
            keys = state.marked(one.stream, revised.schema[KEY].dataType).union(revised).distinct()
            kept = [row[KEY] for row in keys.limit(_MOST_KEYS + 1).collect()]
            found[one.stream.stream] = tuple(kept) if len(kept) <= _MOST_KEYS else None
    return replace(state, rereads=found)


def as_known(rows: DataFrame, until: int) -> DataFrame:
    """Rows and revisions as a state of that instant sums them up, of keys of which it has all that were known by then.

    Args:
        rows: events as they are exchanged.

    Returns:
        The rows in effect; for each key that had others a row that does not count, for it has a history; for each key
        that is to be read whole a mark.
    """
    begun = in_effect(rows).where(F.greatest(TIME, KNOWN) <= until)
    in_force, gone = begun.where(F.col(TOLD) > until), begun.where(F.col(TOLD) <= until)
    of_row = in_order(rows)
    is_apart = has_role(IS_REVISION) & (
        F.first(has_role(IS_REVISION)).over(of_row) | (F.first(TIME).over(of_row) != F.col(TIME))
    )
    apart = rows.withColumn("_is_apart", is_apart | (has_role(IS_REVISION) & (F.col(TIME) > until)))
    marks = _of_keys(gone, 0).unionByName(_of_keys(apart.where("_is_apart"), IS_REVISION))
    return in_force.unionByName(marks, allowMissingColumns=True)


def _of_keys(rows: DataFrame, role: int) -> DataFrame:
    """A row per key that says this of it and has no values."""
    blank = {TIME: F.lit(0).cast("long"), KNOWN: F.lit(0).cast("long"), TOLD: F.lit(0).cast("long")}
    return rows.select(KEY, STREAM).distinct().withColumns({**blank, ROLE: F.lit(role)})
