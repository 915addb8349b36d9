"""Events to feature tables: one row per spine row, as it could be known at its ``as_of``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import functions as F

from features.declare import FeatureView
from features.view import placed_at
from jobs.arguments import add_range
from jobs.job import Context, Plan, console_command, now, run_job
from jobs.lineage_table import LINEAGE
from jobs.view_build import ViewBuild
from lake.errors import TrustlakeError
from lake.ingest.schemas import BATCHES
from lake.locks import Claim, held
from lake.runs import Outcome
from lake.seals import latest_seal, seal


class BuildFeatures:
    """Reads ``events_*``; writes ``features_<view>`` by view, ``lineage``, ``hot_keys``, ``restatements``,
    ``feature_states``; seals what it has seen.
    """

    NAME = "build_features"
    ABOUT = "Build point-in-time features for the spine rows of a range of days."
    EXAMPLE = "build_features --config conf/base.yml --config conf/marketplace.yml --from 2026-01-01 --to 2026-08-01"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        add_range(parser, "spine rows")

    @staticmethod
    def plan(context: Context) -> Plan:
        views = list(context.definitions.views.values())
        ingested = context.lake.version(BATCHES.name)
        versions = _versions(context, views)
        ranges = {view.name: _range(context, view, versions) for view in views}
        for view in views:
            # Before anything is written: Spark finds here whatever columns and expressions do not fit.
            ViewBuild(context, view, versions, *ranges[view.name], ingested).analyzed()
        until = max(end for _, end in ranges.values())
        sealed_at = latest_seal(context.lake)
        if sealed_at is None or sealed_at < until:
            # While no ingest runs: what it writes from now on is known after the seal, and what it wrote is seen.
            with held(context.lake, Claim("ingest_logs", "all logs"), now, wait=context.arguments.wait):
                seal(context.lake, until)
                versions = _versions(context, views)
        span = f"{context.arguments.begin or 'first'} to {context.arguments.end or 'last'}"
        return Plan(
            slice=f"{', '.join(view.name for view in views)} {span}",
            holds="all views",
            inputs=versions,
            work=lambda key: _build_all(
                context, [ViewBuild(context, v, versions, *ranges[v.name], ingested) for v in views], key
            ),
        )


def _versions(context: Context, views: Sequence[FeatureView]) -> dict[str, int]:
    """The event tables of the views as they are now."""
    tables = sorted({context.contracts[log].table for view in views for log in view.sources})
    found = {table: context.lake.version(table) for table in tables}
    absent = [table for table, version in found.items() if version is None]
    if absent:
        raise TrustlakeError(f"{', '.join(absent)} does not exist; run ingest_logs first")
    return {table: version for table, version in found.items() if version is not None}


def _range(context: Context, view: FeatureView, versions: Mapping[str, int]) -> tuple[datetime, datetime]:
    """The range asked for; an open end is the first or last day with spine rows."""
    begin, end = context.arguments.begin, context.arguments.end
    if begin is None or end is None:
        table, at = context.contracts[view.spine.source].table, placed_at(view)
        events = context.lake.read(table, version=versions[table])
        found = events.agg(F.min(at).alias("first"), F.max(at).alias("last")).head()
        if found is None or found["first"] is None:
            raise TrustlakeError(f"{view.spine.source} has no events; run ingest_logs on days that have some")
        begin = begin or found["first"].date()
        end = end or found["last"].date() + timedelta(days=1)
    return _midnight(begin), _midnight(end)


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)


def _build_all(context: Context, builds: Sequence[ViewBuild], key: str) -> Outcome:
    for build in builds:
        build.check_queries()
    rows = {build.view.table: build.run(key) for build in builds}
    total = sum(rows.values())
    places = [f"{build.view.table} ({len(build.view.features)} features)" for build in builds]
    outputs = {table: context.lake.version(table) for table in (*rows, LINEAGE.name)}
    return Outcome(rows_in=total, rows_out=total, refused=0, place=", ".join(places), outputs=outputs)


JOB = BuildFeatures


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
