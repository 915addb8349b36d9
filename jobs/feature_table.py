"""A view's table: its columns with their comments, and definitions that are never mixed in it."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from features.catalogue import kept_meanings, meanings
from features.declare import Calendar, FeatureView
from features.definition_hash import definition_hash
from features.view import AS_OF, DEFINITION
from lake.errors import RefusedError, TrustlakeError
from lake.layout import Layout
from lake.tables import Lake, TableSpec

# Most features have too many different values for a dictionary: looking for one is a fifth of the cost of writing, and
# spares a twentieth of the bytes. The hash is the same in every row of a build.
STORED = {"parquet.enable.dictionary": "false", f"parquet.enable.dictionary#{DEFINITION}": "true"}


def layout() -> Layout:
    """How a view's table is stored: builds look for rows by their instant alone.

    The table's log would keep ranges of ids for longer than an erased person's rows are there.
    """
    return Layout(ranges=(AS_OF,), clustered_by=(AS_OF,))


def check_ids(spine: DataFrame, view: FeatureView) -> int:
    """The number of spine rows.

    Raises:
        TrustlakeError: two of them share an id, or one has none.
    """
    counted = spine.agg(F.count("*").alias("rows"), F.count_distinct(view.spine.row).alias("ids")).head()
    rows, ids = (counted["rows"], counted["ids"]) if counted else (0, 0)
    if rows != ids:
        raise TrustlakeError(
            f"{view.spine.source} gives view {view.name} {rows} rows but {ids} different {view.spine.row}; "
            "name a row id that is unique and never null, or narrow the spine with `where`"
        )
    return int(rows)


def write(lake: Lake, view: FeatureView, built: DataFrame, where: str) -> None:
    """Replace the rows that fulfil ``where`` by ``built``; a table of another definition is made anew.

    Raises:
        RefusedError: rows of another definition would stay beside the new ones.
    """
    spec = _spec(view, built)
    if not lake.exists(view.table):
        lake.ensure(spec)
    elif _has_other_definition(lake.read(view.table), view, spec):
        if lake.read(view.table).where(f"NOT ({where})").head() is not None:
            raise RefusedError(
                f"{view.table} holds rows of another definition of {view.name} outside this range, and this build "
                f"would mix it with {definition_hash(view)}; build the whole range again (leave out --from and --to)"
            )
        lake.recreate(spec, built)
        return
    lake.replace(view.table, built, where=where)


def _has_other_definition(existing: DataFrame, view: FeatureView, spec: TableSpec) -> bool:
    """True also for an empty table that was made for other columns."""
    if existing.columns != spec.schema.fieldNames():
        return True
    return existing.where(F.col(DEFINITION) != definition_hash(view)).head() is not None


def _spec(view: FeatureView, built: DataFrame) -> TableSpec:
    comments = (
        meanings(view)
        | kept_meanings(view)
        | {
            AS_OF: "Instant the row describes (UTC)",
            view.spine.row: "Id of the spine row",
            DEFINITION: "Hash of the definition that made the row",
        }
    )
    comments |= {key: f"Key of the {entity.name}" for entity in view.entities for key in entity.keys}
    fields = [
        StructField(f.name, f.dataType, nullable=True, metadata={"comment": comments[f.name]})
        for f in built.schema
    ]
    at = view.spine.as_of
    what = (
        f"{at.entity.name} every {at.every.label}"
        if isinstance(at, Calendar)
        else f"row of {view.spine.source}"
    )
    comment = f"One row per {what}, as it could be known at as_of"
    return TableSpec(view.table, comment, StructType(fields), STORED, layout())
