"""Every table that contracts and definitions declare: how it is stored, and what the jobs that write it hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from features.hot_key_report import HOT_KEYS
from features.prove.table import FEATURE_PROOFS
from jobs.definitions import Definitions
from jobs.feature_states import FEATURE_STATES
from jobs.feature_table import STORED, layout
from jobs.lineage_table import LINEAGE
from jobs.restatements import RESTATEMENTS
from lake.contracts import Contract
from lake.dimensions.refresh import DIMENSION_BATCHES, dimension
from lake.erase.erasures import ERASURES
from lake.ingest.schemas import BATCHES, FILES, QUARANTINE, events
from lake.ingest.undone import UNDONE
from lake.layout import Layout
from lake.locks import LOCKS, Claim
from lake.maintenance_table import MAINTENANCE
from lake.runs import RUNS
from lake.seals import SEALS
from lake.tables import TableSpec
from scoring.tables import scores
from training.maturity.table import LABEL_MATURITY
from training.quality_table import MODEL_QUALITY
from training.training_set import table_spec

INGEST, BUILD = Claim("ingest_logs", "all logs"), Claim("build_features", "all views")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A table.

    Attributes:
        layout: how it is stored.
        properties: table properties beside those of its layout.
        writers: what jobs hold while they write it; none for a table that every job writes at any moment.
    """

    name: str
    layout: Layout
    properties: Mapping[str, str]
    writers: tuple[Claim, ...]


def declared_tables(contracts: Mapping[str, Contract], definitions: Definitions) -> dict[str, Declared]:
    """The tables, by name."""
    models = list(definitions.models)
    views = list(definitions.views.values())
    prove = Claim("prove_features", ", ".join(view.table for view in views))
    train = [Claim("train_model", name) for name in models]
    tables = [
        # undo_load holds what ingest_logs does.
        *_of_specs(_ingested(contracts), [INGEST]),
        *_of_specs([SEALS], [INGEST, BUILD]),
        *(Declared(name=view.table, layout=layout(), properties=STORED, writers=(BUILD,)) for view in views),
        *_of_specs([RESTATEMENTS, HOT_KEYS, FEATURE_STATES], [BUILD]),
        *_of_specs([LINEAGE], [BUILD, *train]),
        *_of_specs([FEATURE_PROOFS], [prove]),
        *_of_specs([*map(table_spec, models), LABEL_MATURITY, MODEL_QUALITY], train),
        *(table for name in models for table in _of_specs([scores(name)], [Claim("score_events", name)])),
        *_of_specs([ERASURES], [INGEST, BUILD]),
        *_of_specs([RUNS, LOCKS, MAINTENANCE], []),
    ]
    return {table.name: table for table in tables}


def _ingested(contracts: Mapping[str, Contract]) -> Iterator[TableSpec]:
    for contract in contracts.values():
        yield events(contract)
        if contract.changes is not None:
            yield dimension(contract, contract.changes)
    yield from (QUARANTINE, FILES, BATCHES, DIMENSION_BATCHES, UNDONE)


def _of_specs(specs: Iterable[TableSpec], writers: Iterable[Claim]) -> Iterator[Declared]:
    held = tuple(writers)
    for spec in specs:
        yield Declared(name=spec.name, layout=spec.layout, properties=spec.properties, writers=held)
