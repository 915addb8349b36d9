"""One view over one range of instants: built, checked, and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.began import micros_of
from features.declare import Calendar, FeatureView
from features.derived_source import check_known_at, check_lookback
from features.lineage import lineage
from features.restatement import in_time, restated_cells, restated_span
from features.source import Source
from features.view import AS_OF, build_view, spine_rows, with_rereads
from features.waiting import waiting_revisions
from features.windows.state import State
from jobs.event_sources import event_sources
from jobs.feature_states import FeatureStates
from jobs.feature_table import check_ids, write
from jobs.files_read import files_read
from jobs.job import Context
from jobs.lineage_table import write_lineage
from jobs.python_ahead import python_ahead
from jobs.restatements import write_restatements
from jobs.shares import shared, write_hot_keys
from lake.errors import TrustlakeError


def within(column: str, begin: datetime, end: datetime) -> str:
    """SQL: the column lies in [begin, end)."""
    return f"{column} >= timestamp '{begin.isoformat()}' AND {column} < timestamp '{end.isoformat()}'"


@dataclass(frozen=True, slots=True)
class ViewBuild:
    """One view over one range of instants.

    ``versions`` are those of the event tables, ``ingested`` that of ``ingest_batches`` before they were looked up.
    """

    context: Context
    view: FeatureView
    versions: Mapping[str, int]
    begin: datetime
    end: datetime
    ingested: int | None

    def analyzed(self) -> DataFrame:
        """The range's features, not yet computed.

        Raises:
            SchemaError: the tables do not fit the view.
        """
        return build_view(self.view, self._spine(), self._sources(), tasks=1)

    def check_queries(self) -> None:
        """Refuse derived sources that say of the first half of the range what was known in the second only.

        And those that look back further than they say: at the beginning and the middle of the range, and wherever this
        build reads no more than the lookback.

        Raises:
            RefusedError: one does.
        """
        queries = {query.name: query for query in self.view.queries}
        if not queries:
            return
        sources, middle = self._sources(), self.begin + (self.end - self.begin) / 2
        cuts = (
            self._feature_states().cuts_of_queries(self.begin, sources)
            if self._has_states(self._rows())
            else {}
        )
        for name, query in queries.items():
            check_known_at(query, sources, middle)
            # The first instant of the range is in it.
            for since in sorted({micros_of(self.begin) - 1, micros_of(middle), *cuts.get(name, ())}):
                check_lookback(query, sources, since)

    def run(self, key: str) -> int:
        """Write the range, and what arrived late in it; returns the rows written."""
        spine, sources = self._spine(), self._sources()
        where = within(AS_OF, self.begin, self.end)
        with python_ahead(self.context.spark):
            count = check_ids(spine, self.view)
            rows = self._rows()
            states = self._states(sources, rows)
            shares = shared(self.context, self.view, spine, sources, rows=rows, states=states)
        write_hot_keys(self.context, self.view, shares, key)
        built = build_view(self.view, spine, sources, tasks=shares.tasks, hot=shares.hot, states=states)
        if states:
            self._say_files(built)
        write(self.context.lake, self.view, built, where)
        written = self.context.lake.read(self.view.table).where(where).count()
        if written != count:
            raise TrustlakeError(
                f"{self.view.table} got {written} rows for {count} spine rows; report this with the run's id"
            )
        self._count_without_rate(where)
        self._count_waiting(sources)
        late = self._write_late(key, sources)
        restated = self._write_restatements(sources)
        write_lineage(self.context.lake, self.view, lineage(self.view, sources, built))
        self.context.log.info(
            "%s: %s rows from %s to %s, %s of days before that arrived late, %s cells restated",
            *(self.view.table, f"{written:,}", f"{self.begin:%Y-%m-%d}", f"{self.end:%Y-%m-%d}"),
            *(f"{late:,}", f"{restated:,}"),
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

    def _count_waiting(self, sources: Mapping[str, Source]) -> None:
        """Say how many revisions of the range mean rows that have not come."""
        for log, source in sources.items():
            rows = waiting_revisions(source, self.begin, self.end).count() if source.is_revised else 0
            if rows:
                said = "%s: %s revisions of %s mean rows that have not come; each waits for its row"
                self.context.log.warning(said, self.view.table, f"{rows:,}", log)

    def _write_late(self, key: str, sources: Mapping[str, Source]) -> int:
        """Spine rows of days before the range that became known within it: they keep their own ``as_of``."""
        spine, lake = self.view.spine, self.context.lake
        if isinstance(spine.as_of, Calendar):
            # No step of a key lies before the key was known.
            return 0
        arrived = within("known_at", self.begin, self.end)
        before = f"{spine.as_of} < timestamp '{self.begin.isoformat()}'"
        rows = spine_rows(self.view, self._events(spine.source).where(arrived).where(before))
        built = lake.read(self.view.table).where(f"{AS_OF} < timestamp '{self.begin.isoformat()}'")
        same = rows[spine.row].cast("string") == built[spine.row].cast("string")
        late = rows.join(built, on=same, how="left_anti")
        count = late.count()
        if count:
            once = f"build_features/{self.view.name}/late/{key}"
            lake.append(self.view.table, self._built(late, sources), once=once)
        return count

    def _write_restatements(self, sources: Mapping[str, Source]) -> int:
        """Say which cells would be others, had what arrived late in the range come in time; returns how many."""
        span = restated_span(sources, self.begin, self.end)
        if span is None:
            return 0
        spine = spine_rows(self.view, self._events(self.view.spine.source), span)
        built = self.context.lake.read(self.view.table).where(within(AS_OF, *span))
        cells = restated_cells(self.view, built, self._built(spine, in_time(sources)))
        return write_restatements(self.context.lake, self.view, self.end, cells)

    def _spine(self) -> DataFrame:
        return spine_rows(self.view, self._events(self.view.spine.source), (self.begin, self.end))

    def _events(self, log: str) -> DataFrame:
        table = self.context.contracts[log].table
        return self.context.lake.read(table, version=self.versions[table])

    def _built(self, spine: DataFrame, sources: Mapping[str, Source]) -> DataFrame:
        shares = shared(self.context, self.view, spine, sources, rows=self._rows(), states={})
        return build_view(self.view, spine, sources, tasks=shares.tasks, hot=shares.hot)

    def _sources(self) -> dict[str, Source]:
        # What became known later cannot be seen by any row of the range.
        known = f"known_at < timestamp '{self.end.isoformat()}'"
        found = event_sources(self.context.lake, self.context.contracts, self.view.sources, self.versions)
        return {log: Source(source.rows.where(known), source.key) for log, source in found.items()}

    def _states(self, sources: Mapping[str, Source], rows: Mapping[str, int]) -> Mapping[str, State]:
        """What stands for events of long ago; nothing where reading them all is soon done."""
        if not self._has_states(rows):
            return {}
        states = self._feature_states().at(self.begin, sources, ingested=self.ingested)
        return with_rereads(self.view, sources, states)

    def _has_states(self, rows: Mapping[str, int]) -> bool:
        return sum(rows.values()) > self.context.config.features.state_above_rows

    def _feature_states(self) -> FeatureStates:
        return FeatureStates(self.context.lake, self.view, self.context.contracts)

    def _say_files(self, built: DataFrame) -> None:
        tables = {self.context.contracts[log].table: self._events(log) for log in self.view.sources}
        for table, (needed, there) in files_read(built, tables).items():
            self.context.log.info("%s reads %s of %s files of %s", self.view.table, needed, there, table)

    def _rows(self) -> dict[str, int]:
        return {log: self._events(log).count() for log in self.view.sources}
