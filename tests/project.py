"""A user's project in a folder of its own, that jobs and commands run on."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.arguments import base_parser
from jobs.job import Context, Job, check
from lake.hash_key import HashKey
from lake.ingest.schemas import events
from lake.runs import Outcome
from lake.tables import CommitStamp, Lake

CONFIG = """\
lake: {root: lake}
raw: {root: raw}
contracts: [contracts]
definitions: definitions.py
mlflow: {store: mlflow, experiment: tests, registry_schema: trustlake.tests}
training:
  split: {train_days: 2, test_days: 1}
  sweep: {trials: 1, space: {max_depth: {integer: [2, 3]}}}
"""
CONTRACTS = """\
log: payments
description: Payments
files: {pattern: "payments/{day}.jsonl", format: json}
key: [payment_id]
event_at: ts
known_at: {lag: 0s}
columns:
  payment_id: {type: string, description: Id}
  card_id: {type: string}
  amount: {type: "decimal(18,2)", required: true, min: 0}
---
log: disputes
description: Disputes
files: {pattern: "disputes/{day}.jsonl", format: json}
key: [dispute_id]
event_at: ts
known_at: {lag: 1d}
columns:
  dispute_id: {type: string}
  payment_id: {type: string}
"""
REVISED = """\
key: [message_id]
revisions: {of: [dispute_id], column: action, retraction: [void], correction: [amend]}
event_at: ts
known_at: {lag: 1d}
refuse_above: 0.5
columns:
  message_id: {type: string}
  action: {type: string}
  dispute_id: {type: string, required: true}
  payment_id: {type: string, required: true}
"""
DEFINITIONS = """\
from datetime import timedelta

from features.declare import Entity, FeatureGroup, FeatureView, Spine, count, days, largest, total
from features.labels import Label
from training.model import Model

card = Entity("card", key="card_id")
group = FeatureGroup(
    entity=card, source="payments", windows=[days(1)], measures=[count("payments"), total("amount"), largest("amount")]
)
view = FeatureView(
    name="payments", spine=Spine(source="payments", row="payment_id", columns=["amount"]), groups=[group]
)
model = Model(
    name="fraud", view=view,
    label=Label(source="disputes", on="payment_id", fraud="true", matures_after=timedelta(days=1)),
)
"""


@dataclass(frozen=True)
class Project:
    """The files of one user."""

    folder: Path
    spark: SparkSession

    @property
    def config(self) -> str:
        return str(self.folder / "base.yml")

    @property
    def lake(self) -> Lake:
        """The lake as another run sees it."""
        loaded, _, _ = check([self.config])
        stamp = CommitStamp(run_id="run-1", code_version="c", config_hash=loaded.hash)
        return Lake(self.spark, loaded.config.lake, stamp, hash_key=HashKey.of_environment(os.environ))

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def definitions(self, old: str = "", new: str = "") -> None:
        """The definitions, with one part of them replaced."""
        assert old in DEFINITIONS
        self.write("definitions.py", DEFINITIONS.replace(old, new) if old else DEFINITIONS)

    def revise_disputes(self) -> None:
        """Make the disputes a log whose rows later rows take back or correct."""
        kept, cut, _ = CONTRACTS.rpartition("key: [dispute_id]")
        assert cut
        self.write("contracts/logs.yml", kept + REVISED)

    def context(self, job: type[Job], *argv: str) -> Context:
        """What ``job`` would get, without lock and without a row in ``runs``."""
        parser = base_parser(job.NAME, job.ABOUT, job.EXAMPLE)
        job.add_arguments(parser)
        arguments = parser.parse_args(["--config", self.config, *argv])
        loaded, contracts, definitions = check(arguments.config)
        log = logging.getLogger("trustlake.tests")
        return Context(self.spark, self.lake, loaded, contracts, definitions, arguments, log)

    def work(self, job: type[Job], *argv: str) -> Outcome:
        """What ``job`` does, without lock and without a row in ``runs``."""
        return job.plan(self.context(job, *argv)).work("key-1")

    def add_events(self, log: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Events as an ingest would leave them; told when they became known where nothing else is said."""
        _, contracts, _ = check([self.config])
        spec = events(contracts[log])
        self.lake.ensure(spec)
        told = [{"told_at": row.get("known_at")} | dict(row) for row in rows]
        values = [tuple(row.get(name) for name in spec.schema.fieldNames()) for row in told]
        self.lake.append(spec.name, self.spark.createDataFrame(values, spec.schema))

    def versions(self) -> dict[str, int | None]:
        """The version of every table of the lake."""
        tables = sorted(path.parent.name for path in (self.folder / "lake").glob("*/_delta_log"))
        return {table: self.lake.version(table) for table in tables}


def project_in(folder: Path, spark: SparkSession) -> Project:
    made = Project(folder, spark)
    made.write("base.yml", CONFIG)
    made.write("contracts/logs.yml", CONTRACTS)
    made.definitions()
    return made
