"""What a lake, its raw files and its pages hold of a person, and the removal of it, place by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pyspark.sql import functions as F

from jobs.dependents import dependents, finished_runs, loaded_at
from jobs.erased_pages import NamingPage, pages_naming, rewrite_pages
from jobs.erased_tables import dimension_rows, personal_rows
from jobs.feature_states import FEATURE_STATES
from jobs.job import Context
from lake.contracts import Contract
from lake.dimensions.refresh import rebuild
from lake.erase.erasures import Found
from lake.erase.mentions import reword
from lake.erase.person import Person
from lake.erase.raw_files import NamingFiles, files_naming, rewrite
from lake.erase.rows import PersonalRows, count, naming
from lake.erase.vacuum import vacuum
from lake.ingest.schemas import BATCHES
from lake.ingest.undone import UNDONE
from lake.runs import RUNS
from lake.statistics import hide
from lake.tables import Lake

_TOLD = {RUNS.name: ("slice", "result", "place", "error"), UNDONE.name: ("reason", "because", "dependents")}
PAGES = "MLflow pages"


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person in one lake.

    Attributes:
        tables: the person's rows, table by table, in the order in which they go.
        rows: how many there are in each of these tables.
        dimensions: contracts whose dimension is made anew, with the person's rows in it.
        files: raw files by log; none where they are kept.
        built: by log, the runs that read the person's events.
    """

    person: Person
    tables: Sequence[PersonalRows]
    rows: Mapping[str, int]
    dimensions: Sequence[tuple[Contract, int]]
    files: Sequence[NamingFiles]
    pages: Sequence[NamingPage]
    built: Mapping[str, Sequence[str]]

    @property
    def found(self) -> list[Found]:
        """Every place that holds something."""
        places = [Found(table, rows) for table, rows in self.rows.items()]
        places += [Found(contract.dimension, rows) for contract, rows in self.dimensions]
        places += [
            Found(f"raw files of {one.contract.log}", sum(one.lines.values()), len(one.lines))
            for one in self.files
        ]
        places.append(Found(PAGES, 0, len(self.pages)))
        return [place for place in places if place.rows or place.files]

    @property
    def looked_through(self) -> list[str]:
        """Every table whose old versions may hold the person."""
        return list(dict.fromkeys([*self.rows, *(contract.dimension for contract, _ in self.dimensions)]))

    @property
    def has_events(self) -> bool:
        return any(rows for table, rows in self.rows.items() if table.startswith("events_"))


def look(context: Context, person: Person) -> Erasure:
    """Find everything; nothing is written.

    Raises:
        TrustlakeError: raw files would have to be rewritten, and cannot be.
    """
    lake, contracts = context.lake, context.contracts
    tables = personal_rows(lake, contracts, context.definitions, person)
    together = groupby(sorted(tables, key=lambda part: part.table), key=lambda part: part.table)
    dimensions = [
        (contract, count(lake, [rows]))
        for contract in contracts.values()
        if (rows := dimension_rows(lake, contract, person)) is not None
    ]
    files = []
    if not context.arguments.keep_raw:
        named = [contract for contract in contracts.values() if contract.subject]
        files = [files_naming(lake, context.config.raw.root, contract, person) for contract in named]
    return Erasure(
        person,
        tables,
        {table: count(lake, list(parts)) for table, parts in together},
        dimensions,
        files,
        pages_naming(context.config.mlflow, person),
        _built(context, person),
    )


def remove(context: Context, erasure: Erasure) -> None:
    """Remove all that was found. Safe to run again after a kill at any instant: what is left is found again."""
    lake = context.lake
    if erasure.has_events and lake.exists(FEATURE_STATES.name):
        # A state that is carried on would go on counting the removed events, for other keys too.
        nothing = lake.spark.createDataFrame([], lake.read(FEATURE_STATES.name).schema)
        lake.replace(FEATURE_STATES.name, nothing, where="view IS NOT NULL")
    for rows in erasure.tables:
        if erasure.rows[rows.table]:
            rows.remove(lake)
    for contract, rows_there in erasure.dimensions:
        if rows_there or erasure.rows.get(contract.table):
            hide(lake, contract.dimension, contract.subject)
            rebuild(lake, contract)
    for files in erasure.files:
        rewrite(lake, context.config.raw.root, files, erasure.person)
    rewrite_pages(context.config.mlflow, erasure.pages)


def forget(context: Context, erasure: Erasure, hours: int) -> dict[str, int]:
    """Take mentions out of what runs said, then delete the old files of every table that was looked through.

    Returns:
        The version as which each table stands: those before it are gone, or will be.
    """
    lake, tables = context.lake, list(erasure.looked_through)
    tables += [table for table, columns in _TOLD.items() if reword(lake, table, columns, erasure.person)]
    return {table: vacuum(lake, table, hours) for table in tables}


def _built(context: Context, person: Person) -> dict[str, list[str]]:
    """By log, the runs that read events of the person, directly or not."""
    lake, finished = context.lake, finished_runs(context.lake)
    built = {}
    for log, contract in context.contracts.items():
        if contract.subject and lake.exists(contract.table):
            loads = _loads(lake, contract, person)
            if loads:
                since = loaded_at(lake, contract.table, loads, finished)
                built[log] = dependents(finished, {contract.table: since})
    return built


def _loads(lake: Lake, contract: Contract, person: Person) -> set[str | None]:
    """The runs that brought events of the person."""
    held, known = (
        lake.read(contract.table).alias("held"),
        F.broadcast(person.table(lake.spark)).alias("found"),
    )
    mine = (
        held.join(known, on=F.expr(naming(*contract.subject)), how="left_semi")
        .select("ingest_batch")
        .distinct()
    )
    if not lake.exists(BATCHES.name):
        return {None} if mine.head() is not None else set()
    runs = lake.read(BATCHES.name).where(F.col("log") == contract.log).select("ingest_batch", "run_id")
    return {row["run_id"] for row in mine.join(runs, on="ingest_batch", how="left").collect()}
