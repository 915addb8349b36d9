"""Features for rows that a user brings: a file of keys and instants, a notebook, a what-if."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType, TimestampType

from features.columns_read import columns_read
from features.conversion import inputs
from features.declare import FeatureView
from features.source import Source
from features.view import AS_OF, DEFINITION, build_view, spine_rows
from lake.errors import SchemaError

_ID = "_given_id"


def features_for(
    view: FeatureView, rows: DataFrame, sources: Mapping[str, Source], *, tasks: int | None = None
) -> DataFrame:
    """Every feature of a view for any rows of keys and instants, by the rules that hold for its own.

    Args:
        rows: ``as_of`` (UTC) and the keys of the view's entities, null where there is none. Whatever else a row of the
            spine's source would say may stand beside them, under its name there: a feature of the row itself is
            taken from a column of its name, else computed from the columns it reads (``event_at`` and ``known_at``
            are ``as_of`` where they are absent), else null. A row id may be there too, and further columns.
        sources: events by log name: all that became known before the latest ``as_of``.
        tasks: how many tasks share the rows of an entity. None leaves it to Spark.

    Returns:
        One row per row of ``rows``, in no order: row id, ``as_of``, every column that was brought, every feature of
        the view, ``definition_hash``. Where no row id was brought one is made of the row's values, the same for the
        same rows.

    Raises:
        SchemaError: a key or ``as_of`` is absent or of the wrong type, or a column has the name of what is computed.
    """
    spine = view.spine
    of_spine = sources[spine.source].rows
    types = spine_rows(view, of_spine).schema
    _check(view, rows, types)
    kept = [name for name in rows.columns if name not in {AS_OF, spine.row, *(c.name for c in spine.own)}]
    given = [F.col(spine.row).alias(_ID)] if spine.row in rows.columns else []
    times = [name for name in ("event_at", "known_at") if name not in rows.columns]
    offered = rows.select("*", *(F.col(AS_OF).alias(name) for name in times))
    own = {one.name: _own(one.name, one.sql, offered, of_spine) for one in spine.own}
    hidden = {name: _own(column, column, offered, of_spine) for name, column in inputs(spine).items()}
    made = offered.select(
        _made_id(rows).alias(spine.row),
        F.coalesce(AS_OF, F.raise_error(F.lit("a row has no as_of; give every row an instant"))).alias(AS_OF),
        *given,
        *(F.col(name) for name in kept),
        *(value.cast(types[name].dataType).alias(name) for name, value in {**own, **hidden}.items()),
    )
    built = build_view(view, made, sources, tasks=tasks)
    row_id = F.col(_ID if given else spine.row).alias(spine.row)
    return built.select(
        row_id, AS_OF, *(name for name in built.columns if name not in {spine.row, AS_OF, _ID})
    )


def _own(name: str, sql: str, offered: DataFrame, of_spine: DataFrame) -> Column:
    """A value of the row itself: brought, computed from what was brought, or null."""
    if name in offered.columns:
        return F.col(name)
    is_computed = set(columns_read(sql, of_spine)) <= set(offered.columns)
    return F.expr(sql) if is_computed else F.lit(None)


def _made_id(rows: DataFrame) -> Column:
    """A text that no two rows share, and that a row gets whenever it is asked for."""
    values = [F.col(f"`{name}`") for name in rows.columns]
    digest = F.xxhash64(*values)
    number = F.row_number().over(Window.partitionBy(digest).orderBy(*values))
    return F.concat_ws("-", F.hex(digest), number.cast("string"))


def _check(view: FeatureView, rows: DataFrame, of_spine: StructType) -> None:
    needed = [*view.keys, AS_OF]
    absent = [name for name in needed if name not in rows.columns]
    if absent:
        raise SchemaError(
            f"view {view.name}: the rows to describe lack {', '.join(absent)}; they have {', '.join(rows.columns)}; "
            "a key may be null, but its column must be there"
        )
    types: StructType = rows.schema
    if not isinstance(types[AS_OF].dataType, TimestampType):
        raise SchemaError(
            f"view {view.name}: as_of of the rows to describe is {types[AS_OF].dataType.simpleString()}; it is an "
            "instant: make it a timestamp (UTC)"
        )
    for key in view.keys:
        found, expected = types[key].dataType, of_spine[key].dataType
        if found != expected:
            raise SchemaError(
                f"view {view.name}: key {key} of the rows to describe is {found.simpleString()}, in "
                f"{view.spine.source} it is {expected.simpleString()}; cast it"
            )
    own = {one.name for one in view.spine.own}
    computed = {name for name in view.features if name not in own} | {DEFINITION, *inputs(view.spine)}
    brought = [
        name for name in rows.columns if name in computed or name in view.context[len(view.spine.context) :]
    ]
    if brought:
        raise SchemaError(
            f"view {view.name}: the rows to describe bring {', '.join(brought)}, which is computed; leave it out"
        )
