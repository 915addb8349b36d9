"""Events to feature tables: one row per spine row, as it could be known at its ``as_of``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from features.catalogue import meanings
from features.declare import FeatureView
from features.definition_hash import definition_hash
from features.source import Source
from features.view import AS_OF, DEFINITION, build_view, spine_rows
from jobs.arguments import add_range
from jobs.job import Context, Plan, console_command, run_job
from lake.errors import RefusedError, TrustlakeError
from lake.runs import Outcome
from lake.tables import TableSpec


class BuildFeatures:
    """Reads ``events_*``; writes ``features_<view>`` for every view of the definitions."""

    NAME = "build_features"
    ABOUT = "Build point-in-time features for the spine rows of a range of days."
    EXAMPLE = "build_features --config conf/base.yml --config conf/marketplace.yml --from 2026-01-01 --to 2026-08-01"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        add_range(parser, "spine rows")

    @staticmethod
    def plan(context: Context) -> Plan:
        views = list(context.definitions.views.values())
        tables = sorted({context.contracts[log].table for view in views for log in view.sources})
        found = {table: context.lake.version(table) for table in tables}
        versions = {table: version for table, version in found.items() if version is not None}
        absent = [table for table in tables if table not in versions]
        if absent:
            raise TrustlakeError(f"{', '.join(absent)} does not exist; run ingest_logs first")
        span = f"{context.arguments.begin or 'first'} to {context.arguments.end or 'last'}"
        return Plan(
            slice=f"{', '.join(view.name for view in views)} {span}",
            holds="all views",
            inputs=versions,
            work=lambda _: _build_all(context, views, versions),
        )


def _build_all(context: Context, views: Sequence[FeatureView], versions: Mapping[str, int]) -> Outcome:
    rows = {view.table: _build(context, view, versions) for view in views}
    total = sum(rows.values())
    places = [f"{view.table} ({len(view.features)} features)" for view in views]
    outputs = {table: context.lake.version(table) for table in rows}
    return Outcome(rows_in=total, rows_out=total, refused=0, place=", ".join(places), outputs=outputs)


def _build(context: Context, view: FeatureView, versions: Mapping[str, int]) -> int:
    tables = {log: context.contracts[log].table for log in view.sources}
    events = {log: context.lake.read(table, version=versions[table]) for log, table in tables.items()}
    begin, end = _range(context, view, events[view.spine.source])
    chosen = events[view.spine.source].where(_within(view.spine.as_of, begin, end))
    spine = spine_rows(view, chosen)
    count = _check_ids(spine, view)
    sources = {
        log: Source(_needed(view, log, frame, begin, end), tuple(context.contracts[log].key))
        for log, frame in events.items()
    }
    built = build_view(view, spine, sources)
    where = _within(AS_OF, begin, end)
    _write(context, view, built, where)
    written = context.lake.read(view.table).where(where).count()
    if written != count:
        raise TrustlakeError(
            f"{view.table} got {written} rows for {count} spine rows; report this with the run's id"
        )
    context.log.info(
        "%s: %s rows from %s to %s", view.table, f"{written:,}", f"{begin:%Y-%m-%d}", f"{end:%Y-%m-%d}"
    )
    return written


def _range(context: Context, view: FeatureView, events: DataFrame) -> tuple[datetime, datetime]:
    """The range asked for; an open end is the first or last day with spine rows."""
    begin, end = context.arguments.begin, context.arguments.end
    if begin is None or end is None:
        at = view.spine.as_of
        found = events.agg(F.min(at).alias("first"), F.max(at).alias("last")).head()
        if found is None or found["first"] is None:
            raise TrustlakeError(f"{view.spine.source} has no events; run ingest_logs on days that have some")
        begin = begin or found["first"].date()
        end = end or found["last"].date() + timedelta(days=1)
    return _midnight(begin), _midnight(end)


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)


def _within(column: str, begin: datetime, end: datetime) -> str:
    return f"{column} >= timestamp '{begin.isoformat()}' AND {column} < timestamp '{end.isoformat()}'"


def _needed(view: FeatureView, log: str, events: DataFrame, begin: datetime, end: datetime) -> DataFrame:
    """Only what the edges of the windows need; Delta skips the files outside."""
    reach = view.reach(log)
    before_end = events.where(F.col("event_at") < F.lit(end))
    if reach is None:
        return before_end
    return before_end.where(F.col("event_at") >= F.lit(begin - timedelta(microseconds=reach)))


def _check_ids(spine: DataFrame, view: FeatureView) -> int:
    """The number of spine rows; each must have an id of its own."""
    counted = spine.agg(F.count("*").alias("rows"), F.count_distinct(view.spine.row).alias("ids")).head()
    rows, ids = (counted["rows"], counted["ids"]) if counted else (0, 0)
    if rows != ids:
        raise TrustlakeError(
            f"{view.spine.source} gives view {view.name} {rows} rows but {ids} different {view.spine.row}; "
            "name a row id that is unique and never null, or narrow the spine with `where`"
        )
    return int(rows)


def _write(context: Context, view: FeatureView, built: DataFrame, where: str) -> None:
    lake = context.lake
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
    comments = meanings(view) | {
        AS_OF: "Instant the row describes (UTC)",
        view.spine.row: "Id of the spine row",
        DEFINITION: "Hash of the definition that made the row",
    }
    comments |= {entity.key: f"Key of the {entity.name}" for entity in view.entities}
    fields = [
        StructField(
            f.name, f.dataType, nullable=True, metadata={"comment": comments.get(f.name, "Kept as context")}
        )
        for f in built.schema
    ]
    comment = f"One row per row of {view.spine.source}, as it could be known at as_of"
    return TableSpec(view.table, comment, StructType(fields))


JOB = BuildFeatures


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
