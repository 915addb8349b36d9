"""The ``runs`` table: one row per finished or failed run of a job, and the key that makes a second run needless."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from pyspark.sql import functions as F

from lake.described import described
from lake.layout import Layout
from lake.tables import Lake, TableSpec

DONE, FAILED, REFUSED = "done", "failed", "refused"

RUNS = TableSpec(
    "runs",
    "One row per run of a job that ended, in whatever way",
    described(
        "run_id string: Unique id of the run",
        "job string: Job that ran",
        "slice string: What part of the data it worked on",
        "run_key string: Hash of job, arguments, input versions, configuration and code; one done run per key",
        "state string: done, failed or refused",
        "started_at timestamp: Start (UTC)",
        "finished_at timestamp: End (UTC)",
        "rows_in long: Rows read",
        "rows_out long: Rows written",
        "refused long: Rows refused",
        "result string: What came out, in words",
        "place string: Where to look",
        "inputs versions: Version of each table read",
        "outputs versions: Version of each table written",
        "error string: Why it failed",
        "code_version string: Version of the code",
        "config_hash string: Hash of the configuration",
    ),
    # Not of what runs say, which may mention a person.
    layout=Layout(ranges=("run_id", "job", "run_key", "state", "started_at")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a job did, for its log line, its row in ``runs`` and the table at the end of a demo."""

    rows_in: int | None = None
    rows_out: int | None = None
    refused: int | None = None
    result: str = ""
    place: str = ""
    outputs: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One row of ``runs``, less what the outcome and the lake's stamp say."""

    job: str
    slice: str
    run_key: str
    state: str
    started_at: datetime
    finished_at: datetime
    inputs: Mapping[str, int]
    error: str | None = None


def run_key(
    job: str, arguments: Mapping[str, object], inputs: Mapping[str, object], config: str, code: str
) -> str:
    """Hash of everything the result of a run depends on."""
    text = json.dumps([job, arguments, inputs, config, code], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def completed(lake: Lake, key: str) -> Outcome | None:
    """What the run that completed ``key`` did; None where there is none."""
    if not lake.exists(RUNS.name):
        return None
    rows = lake.read(RUNS.name).where((F.col("run_key") == key) & (F.col("state") == DONE))
    row = (
        rows.orderBy(F.col("finished_at").desc())
        .select("rows_in", "rows_out", "refused", "result", "place", "outputs")
        .head()
    )
    return Outcome(**row.asDict()) if row else None


def record(lake: Lake, row: RunRow, outcome: Outcome) -> None:
    """Append one row to ``runs``, which is created where it is absent."""
    lake.ensure(RUNS)
    values = asdict(row) | asdict(outcome) | asdict(lake.stamp)
    values["outputs"] = {table: version for table, version in outcome.outputs.items() if version is not None}
    names = RUNS.schema.fieldNames()
    frame = lake.spark.createDataFrame([tuple(values[name] for name in names)], RUNS.schema)
    lake.append(RUNS.name, frame)
