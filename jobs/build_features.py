"""Events to feature tables: one row per spine row, as it could be known at its ``as_of``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.declare import Calendar, FeatureGroup, FeatureView, Lookup
from features.derived_source import check_known_at
from features.hot_key_report import HOT_KEYS, report
from features.lineage import lineage
from features.source import Source
from features.view import AS_OF, build_view, hot_keys, placed_at, spine_rows
from features.windows.hot_keys import HotKey
from jobs.arguments import add_range
from jobs.feature_table import check_ids, write
from jobs.job import Context, Plan, console_command, now, run_job
from jobs.lineage_table import LINEAGE, write_lineage
from lake.errors import TrustlakeError
from lake.locks import Claim, held
from lake.runs import Outcome
from lake.seals import latest_seal, seal

# A task of the window engine holds its rows in memory: at about 150 bytes a row, some 150 MB.
ROWS_PER_TASK = 1_000_000


class BuildFeatures:
    """Reads ``events_*``; writes ``features_<view>`` for every view, and ``lineage``; seals what it has seen."""

    NAME = "build_features"
    ABOUT = "Build point-in-time features for the spine rows of a range of days."
    EXAMPLE = "build_features --config conf/base.yml --config conf/marketplace.yml --from 2026-01-01 --to 2026-08-01"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        add_range(parser, "spine rows")

    @staticmethod
    def plan(context: Context) -> Plan:
        views = list(context.definitions.views.values())
        versions = _versions(context, views)
        ranges = {view.name: _range(context, view, versions) for view in views}
        for view in views:
            # Before anything is written: Spark finds here whatever columns and expressions do not fit.
            _Build(context, view, versions, *ranges[view.name]).analyzed()
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
                context, [_Build(context, v, versions, *ranges[v.name]) for v in views], key
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


def _within(column: str, begin: datetime, end: datetime) -> str:
    return f"{column} >= timestamp '{begin.isoformat()}' AND {column} < timestamp '{end.isoformat()}'"


def _build_all(context: Context, builds: Sequence[_Build], key: str) -> Outcome:
    for build in builds:
        build.check_queries()
    rows = {build.view.table: build.run(key) for build in builds}
    total = sum(rows.values())
    places = [f"{build.view.table} ({len(build.view.features)} features)" for build in builds]
    outputs = {table: context.lake.version(table) for table in (*rows, LINEAGE.name)}
    return Outcome(rows_in=total, rows_out=total, refused=0, place=", ".join(places), outputs=outputs)


@dataclass(frozen=True, slots=True)
class _Build:
    """One view over one range of instants."""

    context: Context
    view: FeatureView
    versions: Mapping[str, int]
    begin: datetime
    end: datetime

    def analyzed(self) -> DataFrame:
        """The range's features, not yet computed.

        Raises:
            SchemaError: the tables do not fit the view.
        """
        return self._features(self._spine(), _Shares(1, {}))

    def check_queries(self) -> None:
        """Refuse derived sources that say of the first half of the range what was known in the second only.

        Raises:
            RefusedError: one does.
        """
        sources = self._sources()
        for query in {query.name: query for query in self.view.queries}.values():
            check_known_at(query, sources, self.begin + (self.end - self.begin) / 2)

    def run(self, key: str) -> int:
        """Write the range, and what arrived late in it; returns the rows written."""
        spine = self._spine()
        count = check_ids(spine, self.view)
        where = _within(AS_OF, self.begin, self.end)
        shares = self._shares(spine, key)
        built = self._features(spine, shares)
        write(self.context.lake, self.view, built, where)
        written = self.context.lake.read(self.view.table).where(where).count()
        if written != count:
            raise TrustlakeError(
                f"{self.view.table} got {written} rows for {count} spine rows; report this with the run's id"
            )
        self._count_without_rate(where)
        late = self._write_late(key, shares)
        write_lineage(self.context.lake, self.view, lineage(self.view, self._sources(), built))
        self.context.log.info(
            "%s: %s rows from %s to %s, %s of days before that arrived late",
            *(self.view.table, f"{written:,}", f"{self.begin:%Y-%m-%d}", f"{self.end:%Y-%m-%d}", f"{late:,}"),
        )
        return written + late

    def _count_without_rate(self, where: str) -> None:
        """Say how many amounts could not be converted."""
        flags = {one.name: one.has_rate for one in self.view.spine.converted}
        if not flags:
            return
        written = self.context.lake.read(self.view.table).where(where)
        counted = written.agg(*(F.count_if(~F.col(flag)).alias(name) for name, flag in flags.items())).head()
        for name, rows in counted.asDict().items() if counted else []:
            if rows:
                said = "%s: no rate was known for %s in %s rows; it is null there"
                self.context.log.warning(said, self.view.table, name, f"{rows:,}")

    def _write_late(self, key: str, shares: _Shares) -> int:
        """Spine rows of days before the range that became known within it: they keep their own ``as_of``."""
        spine, lake = self.view.spine, self.context.lake
        if isinstance(spine.as_of, Calendar):
            # No step of a key lies before the key was known.
            return 0
        arrived = _within("known_at", self.begin, self.end)
        before = f"{spine.as_of} < timestamp '{self.begin.isoformat()}'"
        rows = spine_rows(self.view, self._events(spine.source).where(arrived).where(before))
        built = lake.read(self.view.table).where(f"{AS_OF} < timestamp '{self.begin.isoformat()}'")
        same = rows[spine.row].cast("string") == built[spine.row].cast("string")
        late = rows.join(built, on=same, how="left_anti")
        count = late.count()
        if count:
            once = f"build_features/{self.view.name}/late/{key}"
            lake.append(self.view.table, self._features(late, shares), once=once)
        return count

    def _spine(self) -> DataFrame:
        return spine_rows(self.view, self._events(self.view.spine.source), (self.begin, self.end))

    def _events(self, log: str) -> DataFrame:
        table = self.context.contracts[log].table
        return self.context.lake.read(table, version=self.versions[table])

    def _features(self, spine: DataFrame, shares: _Shares) -> DataFrame:
        return build_view(self.view, spine, self._sources(), tasks=shares.tasks, hot=shares.hot)

    def _sources(self) -> dict[str, Source]:
        # What became known later cannot be seen by any row of the range.
        known = f"known_at < timestamp '{self.end.isoformat()}'"
        return {
            log: Source(self._events(log).where(known), tuple(self.context.contracts[log].key))
            for log in self.view.sources
        }

    def _shares(self, spine: DataFrame, key: str) -> _Shares:
        """How the rows are shared out, so that no task holds many more than a million; hot keys are reported."""
        rows = {log: self._events(log).count() for log in self.view.sources}
        own = rows[self.view.spine.source]
        readers: list[FeatureGroup | Lookup] = [*self.view.groups, *self.view.lookups]
        met = {
            entity.name: own
            + sum(rows[log] for reader in readers if reader.entity == entity for log in reader.logs)
            for entity in self.view.entities
        }
        most = max(met.values(), default=0)
        # Databricks knows the setting "auto" too.
        usual = self.context.spark.conf.get("spark.sql.shuffle.partitions") or ""
        tasks = max(int(usual) if usual.isdigit() else 1, -(-most // ROWS_PER_TASK))
        hot: dict[str, list[HotKey]] = {}
        if most > ROWS_PER_TASK:
            hot = hot_keys(self.view, spine, self._sources(), rows_per_task=ROWS_PER_TASK)
        if hot:
            self._report(key, hot, met)
        return _Shares(tasks, hot)

    def _report(self, key: str, hot: Mapping[str, Sequence[HotKey]], met: Mapping[str, int]) -> None:
        lake, log = self.context.lake, self.context.log
        lake.ensure(HOT_KEYS)
        found = list(report(key, self.view.name, hot, met))
        rows = self.context.spark.createDataFrame(found, HOT_KEYS.schema)
        lake.replace(HOT_KEYS.name, rows, where=f"run_key = '{key}' AND view = '{self.view.name}'")
        for _, _, entity, name, count, share, sections in found:
            log.info(
                "hot key: %s %s has %s rows (%.1f %%), cut into %d",
                entity,
                name,
                f"{count:,}",
                100 * share,
                sections,
            )


@dataclass(frozen=True, slots=True)
class _Shares:
    """How many tasks share the rows of an entity, and the keys that several of them share."""

    tasks: int
    hot: Mapping[str, Sequence[HotKey]]


JOB = BuildFeatures


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
