"""``trustlake plan``: what the next build of the features would change, fill in and read. It writes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from features.catalogue import meanings
from features.declare import FeatureView
from features.definition_hash import definition_hash
from features.view import AS_OF, DEFINITION, build_view, spine_rows
from jobs.event_sources import event_sources
from jobs.feature_states import FeatureStates
from jobs.job import check, open_lake
from jobs.sql_mistakes import sql_mistakes
from lake.contracts import Contract
from lake.errors import SchemaError
from lake.seals import latest_seal
from lake.tables import Lake
from operations.configurations import add_config_arguments, chosen_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake plan``."""
    add_config_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print, for each view: columns that are new, changed or gone, days that are missing, and what will be read.

    And why a build would refuse it, if it would.

    Raises:
        ConfigError: the configuration is wrong.
        SchemaError: the events of a view's spine were never ingested, or have no such rows.
    """
    loaded, contracts, definitions = check(chosen_files(arguments), arguments.set)
    lake = open_lake(loaded, "trustlake plan")
    for view in definitions.views.values():
        with sql_mistakes():
            for line in _Planned(lake, contracts, view).lines():
                print(line)
    print(f"sealed at: {latest_seal(lake) or 'never'}; nothing that is ingested from now on is known before")


@dataclass(frozen=True, slots=True)
class _Planned:
    """One view and the table it has, if any."""

    lake: Lake
    contracts: Mapping[str, Contract]
    view: FeatureView

    def lines(self) -> Iterator[str]:
        yield f"{self.view.name} → {self.view.table}"
        yield from (
            f"  {line}" for line in [*self._columns(), *self._days(), *self._reads(), *self._refused()]
        )

    def _columns(self) -> Iterator[str]:
        wanted = meanings(self.view)
        if not self.lake.exists(self.view.table):
            yield f"new: the table, with {len(wanted)} features"
            return
        table = self.lake.read(self.view.table)
        kept = {AS_OF, DEFINITION, self.view.spine.row, *self.view.keys, *self.view.context}
        found = {
            field.name: field.metadata.get("comment", "") for field in table.schema if field.name not in kept
        }
        yield from _named("new", [name for name in wanted if name not in found])
        yield from _named("gone", [name for name in found if name not in wanted])
        changed = [name for name, meaning in wanted.items() if name in found and found[name] != meaning]
        for name in changed:
            yield f"changed: {name}"
            yield f"  was: {found[name]}"
            yield f"  now: {wanted[name]}"
        current = definition_hash(self.view)
        others = table.where(F.col(DEFINITION) != current).select(DEFINITION).distinct().collect()
        if others or found.keys() != wanted.keys():
            made = ", ".join(sorted(row[DEFINITION] for row in others)) or "no rows"
            yield f"definition: now {current}, the table holds {made}; build the whole range (without --from and --to)"
        elif not changed:
            yield f"columns: all {len(wanted)} as they are, definition {current}"

    def _days(self) -> Iterator[str]:
        source = self.lake.read(self.contracts[self.view.spine.source].table)
        there = _per_day(spine_rows(self.view, source))
        built = _per_day(self.lake.read(self.view.table)) if self.lake.exists(self.view.table) else {}
        missing = sorted(day for day, rows in there.items() if built.get(day, 0) < rows)
        rows = sum(there[day] - built.get(day, 0) for day in missing)
        if there:
            yield f"spine: {sum(there.values()):,} rows, {min(there)} to {max(there)}; built: {sum(built.values()):,}"
        spans = [f"--from {first} --to {last + timedelta(days=1)}" for first, last in _spans(missing)]
        yield f"missing: {rows:,} rows; {'; '.join(spans)}" if missing else "missing: nothing"

    def _reads(self) -> Iterator[str]:
        for log in self.view.sources:
            table = self.contracts[log].table
            version = self.lake.version(table)
            stands = f"version {version}" if version is not None else "absent: run ingest_logs first"
            yield f"reads: {table} ({stands}), what became known before the end of the range"
        kept = FeatureStates(self.lake, self.view, self.contracts).newest()
        if kept is not None:
            at = f"{kept.known_before:%Y-%m-%d %H:%M}"
            yield f"state of {at}: a build from then on reads what windows hold, and no more"

    def _refused(self) -> Iterator[str]:
        """Why a build would not begin, as far as types and names tell; queries are compared by the build alone."""
        if any(not self.lake.exists(self.contracts[log].table) for log in self.view.sources):
            return
        sources = event_sources(self.lake, self.contracts, self.view.sources)
        try:
            with sql_mistakes():
                build_view(self.view, spine_rows(self.view, sources[self.view.spine.source].rows), sources)
        except SchemaError as error:
            yield f"refused: {error}"


def _named(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{what}: {', '.join(names)}"


def _per_day(rows: DataFrame) -> dict[date, int]:
    return {row["day"]: row["count"] for row in rows.groupBy(F.to_date(AS_OF).alias("day")).count().collect()}


def _spans(days: Sequence[date]) -> list[tuple[date, date]]:
    """Runs of days that follow each other, by their first and last."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = spans[-1][0], day
        else:
            spans.append((day, day))
    return spans
