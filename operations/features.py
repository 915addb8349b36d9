"""``trustlake features``: every feature of a view for the rows of a file, one instant and its keys each."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.types import DataType, LongType, StructField, StructType, TimestampType

from features.declare import Calendar, FeatureView
from features.for_rows import features_for
from features.view import AS_OF
from jobs.event_sources import event_sources
from jobs.job import check, open_lake
from lake.contracts import Contract
from lake.errors import SchemaError
from operations.configurations import add_config_arguments, chosen_files
from operations.key_file import KeyFile, read_keys

_LINE = "_line"
_ENDINGS = (".csv", ".parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake features``."""
    add_config_arguments(parser)
    parser.add_argument(
        "--keys",
        type=Path,
        required=True,
        metavar="CSV",
        help="rows to describe: as_of (UTC) and the view's keys",
    )
    parser.add_argument(
        "--out", type=_target, required=True, metavar="FILE", help="where to write: .csv or .parquet"
    )
    parser.add_argument("--view", metavar="NAME", help="whose features, where there are several views")


def run(arguments: argparse.Namespace) -> None:
    """Write one row per row of the file, in its order, with every feature of the view.

    Raises:
        ConfigError: the configuration is wrong.
        SchemaError: there is no such view, or the file lacks a key or holds what does not fit its column.
    """
    loaded, contracts, definitions = check(chosen_files(arguments), arguments.set)
    view = _view_of(definitions.views, arguments.view)
    keys = read_keys(arguments.keys, _types(view, contracts), [*view.keys, AS_OF])
    lake = open_lake(loaded, "trustlake features")
    schema = StructType([StructField(_LINE, LongType()), *keys.fields])
    rows = lake.spark.createDataFrame(_numbered(keys), schema)
    built = features_for(view, rows, event_sources(lake, contracts, view.sources))
    table = built.toArrow().sort_by(_LINE)
    if view.spine.row not in keys.names:
        # Easier to find again than an id made of the row's values.
        table = table.set_column(0, view.spine.row, table[_LINE].cast(pa.string()))
    _write(table.drop_columns([_LINE]), arguments.out)
    print(f"{arguments.out}: {table.num_rows:,} rows, {len(view.features)} features of {view.name}")


def _target(text: str) -> Path:
    path = Path(text)
    if path.suffix not in _ENDINGS:
        raise argparse.ArgumentTypeError(f"{text!r} ends in neither {' nor '.join(_ENDINGS)}")
    return path


def _view_of(views: Mapping[str, FeatureView], wanted: str | None) -> FeatureView:
    if wanted is None and len(views) > 1:
        raise SchemaError(f"there are views {', '.join(views)}; name one with --view")
    if wanted is not None and wanted not in views:
        raise SchemaError(f"there is no view {wanted}; there are {', '.join(views)}")
    return next(iter(views.values())) if wanted is None else views[wanted]


def _types(view: FeatureView, contracts: Mapping[str, Contract]) -> dict[str, DataType]:
    """The types of the columns of the spine's log, and of ``as_of``."""
    columns = contracts[view.spine.source].columns
    at = view.spine.as_of
    names = dict(zip(at.entity.keys, at.keys, strict=True)) if isinstance(at, Calendar) else {}
    keys = {own: columns[theirs].spark_type for own, theirs in names.items()}
    times: dict[str, DataType] = {name: TimestampType() for name in (AS_OF, "event_at", "known_at")}
    return times | {name: column.spark_type for name, column in columns.items()} | keys


def _numbered(keys: KeyFile) -> list[tuple[object, ...]]:
    return [(number, *row) for number, row in enumerate(keys.rows, start=1)]


def _write(table: pa.Table, path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.column_names)
        for batch in table.to_batches():
            writer.writerows(
                [_cells(row) for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)]
            )


def _cells(row: Sequence[object]) -> list[str]:
    """Values as a CSV has them: nothing for null, true and false, instants as ISO."""
    return [
        "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for value in row
    ]
