"""The names that a lake is asked by: its tables, and views for analysts made from contracts and definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from features.label_events import label_events
from features.source import Source
from features.view import AS_OF
from jobs.definitions import Definitions
from jobs.known_until import known_until
from lake.contracts import Contract
from lake.errors import TrustlakeError
from lake.ingest.schemas import QUARANTINE
from lake.tables import Lake
from scoring.tables import scores
from training.known_labels import (
    FRAUD_KNOWN_AT,
    KNOWN_LABEL,
    LABEL_STATE,
    can_label_events,
    with_known_labels,
)
from training.model import Model

_NEWEST = "_newest"


@dataclass(frozen=True, slots=True)
class View:
    """A name, what one row of it is, and the rows."""

    name: str
    about: str
    rows: DataFrame


@dataclass(frozen=True, slots=True)
class OpenLake:
    """A lake as it is, or as it was known before ``as_of``.

    With ``as_of``, events (and whatever else has a ``known_at``) are those known before it, features and scores those
    that describe an instant before it; tables without either are as they are.
    """

    lake: Lake
    contracts: Mapping[str, Contract]
    definitions: Definitions
    as_of: datetime | None

    def open(self) -> dict[str, View]:
        """Name everything there is in the session, by name; the tables stay as they are at this moment.

        Raises:
            TrustlakeError: there is no table.
        """
        views = {view.name: view for view in self._tables()}
        if not views:
            raise TrustlakeError(f"{self.lake.place('*')}: there is no table yet; run ingest_logs first")
        for view in self._made({name: view.rows for name, view in views.items()}):
            # A table of the same name is what its jobs call by it.
            views.setdefault(view.name, view)
        for view in views.values():
            view.rows.createOrReplaceTempView(view.name)
        return views

    def _tables(self) -> Iterator[View]:
        for name in self.lake.names():
            yield View(name, "", self._known(self.lake.read(name)))

    def _known(self, rows: DataFrame) -> DataFrame:
        moment = next((name for name in ("known_at", AS_OF) if name in rows.columns), None)
        return rows if self.as_of is None or moment is None else rows.where(F.col(moment) < F.lit(self.as_of))

    def _made(self, tables: Mapping[str, DataFrame]) -> Iterator[View]:
        logs = {log: tables[one.table] for log, one in self.contracts.items() if one.table in tables}
        for log, rows in logs.items():
            contract = self.contracts[log]
            columns = ("event_at", "known_at", *(name for name in contract.columns if name in rows.columns))
            yield View(log, contract.description, rows.select(*columns))
        for model in self.definitions.models.values():
            yield from self._labelled(model, logs)
        if logs:
            yield View(
                "daily_volume", "One row per log and day (UTC) on which events happened", _volume(logs)
            )
        if QUARANTINE.name in tables:
            about = "One row per log and reason: how many rows were refused, and in which files"
            yield View("quarantine_by_reason", about, _reasons(tables[QUARANTINE.name]))
        named = [scores(model).name for model in self.definitions.models]
        scored = [tables[name] for name in named if name in tables]
        if scored:
            about = "One row per model and scored id: its newest score"
            yield View("latest_scores", about, _latest(scored))

    def _labelled(self, model: Model, logs: Mapping[str, DataFrame]) -> Iterator[View]:
        log, told = model.view.spine.source, [label.source for label in model.labels]
        if not can_label_events(model) or not {log, *told} <= logs.keys():
            return
        until = self.as_of or known_until([logs[log], *(logs[source] for source in told)])
        days = model.matures_after.days
        about = (
            f"{log} with {KNOWN_LABEL}: what {', '.join(told)} said of them before {until:%Y-%m-%d %H:%M} UTC; "
            f"not fraud only where older than {days} d"
        )
        kept = ("event_at", "known_at", *self.contracts[log].columns)
        sources = {source: Source(logs[source], self.contracts[source].row_id) for source in told}
        rows = with_known_labels(logs[log], sources, model, until)
        rows = rows.select(
            *(name for name in kept if name in rows.columns), FRAUD_KNOWN_AT, KNOWN_LABEL, LABEL_STATE
        )
        models = list(self.definitions.models.values())
        alone = [other.view.spine.source for other in models].count(log) == 1
        yield View(f"{log}_with_labels" if alone else f"{log}_with_labels_of_{model.name}", about, rows)
        said = "One row per event that says of a row what it is, from known_at until withdrawn_at"
        yield View(
            "label_events" if len(models) == 1 else f"label_events_of_{model.name}",
            f"{said}; of {', '.join(told)}",
            label_events(model.labels, sources),
        )


def _volume(logs: Mapping[str, DataFrame]) -> DataFrame:
    counted = [
        rows.groupBy(F.lit(log).alias("log"), F.to_date("event_at").alias("day")).agg(
            F.count("*").alias("event_count")
        )
        for log, rows in logs.items()
    ]
    return reduce(DataFrame.unionByName, counted)


def _reasons(quarantine: DataFrame) -> DataFrame:
    return quarantine.groupBy("log", "reason").agg(
        F.count("*").alias("row_count"),
        F.countDistinct("source_file").alias("file_count"),
        F.min("source_file").alias("first_file"),
        F.max("source_file").alias("last_file"),
    )


def _latest(scored: list[DataFrame]) -> DataFrame:
    newest = Window.partitionBy("model", "row_id").orderBy(F.desc(AS_OF), F.desc("model_version"))
    rows = reduce(DataFrame.unionByName, scored)
    return rows.withColumn(_NEWEST, F.row_number().over(newest)).where(F.col(_NEWEST) == 1).drop(_NEWEST)
