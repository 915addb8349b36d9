"""docs/tables.md says of every table how it is stored: as a lake has it whose tables were made by the jobs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pyspark.sql.types import StringType, StructField, StructType, TimestampType

from jobs.build_features import BuildFeatures
from jobs.declared_tables import Declared, declared_tables
from jobs.ingest_logs import IngestLogs
from jobs.job import check, run_job
from lake.layout import STATISTICS
from lake.locks import LOCKS
from lake.runs import RUNS
from lake.tables import TableSpec

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
CHANGES = """\
log: changes
description: Changes
files: {pattern: "changes/{day}.jsonl", format: json}
key: [card_id, lsn]
event_at: ts
known_at: {lag: 0s}
changes: {key: [card_id], order: lsn, op: op}
columns:
  card_id: {type: string, required: true}
  lsn: {type: long, required: true}
  op: {type: string, required: true, allowed: [I, U, D]}
"""
PAYMENT = '{"payment_id": "p", "card_id": "c", "amount": 1, "ts": "2026-03-01T10:00:00Z"}\n'
# What the placeholders of the page stand for in this project, by table.
STANDS_FOR = {
    "events_payments": ("events_<log>", {"<key>": "payment_id"}),
    "events_disputes": ("events_<log>", {"<key>": "dispute_id"}),
    "events_changes": ("events_<log>", {"<key>": "card_id,lsn"}),
    "dim_changes": ("dim_<log>", {"<changed>": "card_id"}),
    "features_payments": ("features_<view>", {"<row>": "payment_id"}),
    "training_fraud": ("training_<model>", {}),
    "scores_fraud": ("scores_<model>", {}),
}
MADE_BY_JOBS = {
    "events_payments",
    "quarantine",
    "ingest_batches",
    "seals",
    "features_payments",
    "lineage",
    "runs",
    "locks",
}
FEATURES = {2: {"appendOnly", "invariants"}, 7: {"appendOnly", "clustering", "domainMetadata", "invariants"}}
ABOUT_WRITING = {
    "features_payments": {
        "parquet.enable.dictionary": "false",
        "parquet.enable.dictionary#definition_hash": "true",
    }
}


def documented() -> dict[str, list[str]]:
    """The cells of each row of the page's first table, by table."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0].strip("`"): row for row in cells if len(row) == 8}


def of_every_table() -> dict[str, str]:
    block = re.search(r"```properties\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return dict(line.split(" = ", 1) for line in block[1].splitlines())


def spec_of(table: Declared) -> TableSpec:
    """A table of few columns that is stored as the real one."""
    names = dict.fromkeys((*table.layout.ranges, "other"))
    at = {"as_of", "valid_from", "valid_to"}
    fields = [
        StructField(name, TimestampType() if name in at or name.endswith("_at") else StringType())
        for name in names
    ]
    return TableSpec(table.name, "One row", StructType(fields), table.properties, table.layout)


def test_the_page_says_how_every_table_is_stored(project: Any) -> None:
    project.write("contracts/changes.yml", CHANGES)
    project.write("raw/payments/2026-03-01.jsonl", PAYMENT)
    run_job(IngestLogs, ["--config", project.config])
    run_job(BuildFeatures, ["--config", project.config])
    lake = project.lake
    made = set(lake.names())
    assert made >= MADE_BY_JOBS
    _, contracts, definitions = check([project.config])
    declared = declared_tables(contracts, definitions)
    assert made <= set(declared)
    rows, common = documented(), of_every_table()
    assert set(rows) == {STANDS_FOR.get(name, (name, {}))[0] for name in declared}
    for name, table in declared.items():
        if name not in made:
            lake.ensure(spec_of(table))
        found = project.spark.sql(f"DESCRIBE DETAIL {lake.place(name)}").collect()[0]
        pattern, stands_for = STANDS_FOR.get(name, (name, {}))
        ranges, clustered_by, protocol = (cell.replace("`", "") for cell in rows[pattern][5:])
        for placeholder, columns in stands_for.items():
            ranges = ranges.replace(placeholder, columns)
        expected = common | ABOUT_WRITING.get(name, {}) | ({STATISTICS: ranges} if ranges else {})
        assert found["properties"] == expected, name
        assert ",".join(found["clusteringColumns"]) == clustered_by, name
        assert f"{found['minReaderVersion']} / {found['minWriterVersion']}" == protocol, name
        assert set(found["tableFeatures"]) == FEATURES[found["minWriterVersion"]], name
        assert bool(table.writers) == (name not in {RUNS.name, LOCKS.name, "table_maintenance"})
