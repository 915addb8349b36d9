"""Maintenance between all other jobs: every run does, skips and says what it does without, and writes the same rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs.build_features import BuildFeatures
from jobs.ingest_logs import IngestLogs
from jobs.job import Finished, run_job
from jobs.maintain_tables import MaintainTables
from jobs.prove_features import ProveFeatures
from jobs.undo_load import UndoLoad
from lake import maintenance
from lake.data_versions import history
from lake.layout import stored
from lake.locks import LOCKS
from lake.maintenance_table import MAINTENANCE
from lake.runs import RUNS

CHANGES = """\
log: card_changes
description: Changes of cards
files: {pattern: "changes/{day}.jsonl", format: json}
key: [card_id, lsn]
event_at: ts
known_at: {lag: 0s}
changes: {key: [card_id], order: lsn, op: op}
columns:
  card_id: {type: string, required: true}
  lsn: {type: long, required: true}
  op: {type: string, required: true, allowed: [I, U, D]}
  state: {type: string}
"""
PAYMENT = '{{"payment_id": "{0}", "card_id": "c{1}", "amount": {2}, "ts": "2026-03-0{3}T{4:02}:00:00Z"}}\n'
CHANGE = '{{"card_id": "c{0}", "lsn": {1}, "op": "U", "state": "s{1}", "ts": "2026-03-0{1}T09:00:00Z"}}\n'
# Which run wrote a row, and when, is outside of every equality; file names are not the same twice.
OF_A_RUN = ("run_id", "run_key", "modified", "loaded_by", "dependents", "made_with")
NOT_COMPARED = {RUNS.name, LOCKS.name, MAINTENANCE.name}

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _few_files_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SPARE_FILES", 0)


def deliver(project: Any, day: int) -> None:
    rows = [PAYMENT.format(f"p{day}-{n}", n % 2, n + day, day, n) for n in range(4)]
    if day > 1:
        # Of the day before: it comes late, and restates what was built.
        rows.append(PAYMENT.format(f"late{day}", 0, 50, day - 1, 1))
    project.write(f"raw/payments/2026-03-0{day}.jsonl", "".join(rows))
    project.write(f"raw/changes/2026-03-0{day}.jsonl", CHANGE.format(day % 2, day))


def run(project: Any, job: Any, *argv: str) -> Finished:
    return run_job(job, ["--config", project.config, *argv])


def build(project: Any, day: int) -> Finished:
    return run(project, BuildFeatures, "--from", f"2026-03-0{day}", "--to", f"2026-03-0{day + 1}")


def some_days(project: Any, capsys: pytest.CaptureFixture[str], *, is_maintained: bool) -> Iterator[object]:
    """What the jobs of some days do and say, with or without maintenance in between."""
    project.write("contracts/changes.yml", CHANGES)
    project.definitions("windows=[days(1)]", "windows=[days(1), LIFETIME]")
    text = (project.folder / "definitions.py").read_text()
    project.write("definitions.py", text.replace("import Entity", "import LIFETIME, Entity"))
    settings = (project.folder / "base.yml").read_text() + "features: {state_above_rows: 0}\n"
    project.write("base.yml", settings)
    for day in (1, 2):
        deliver(project, day)
        if day == 1:
            project.write(
                "raw/disputes/2026-03-01.jsonl",
                '{"dispute_id": "d", "payment_id": "p1-1", "ts": "2026-03-01"}\n',
            )
        yield run(project, IngestLogs).was_done
        yield build(project, day).outcome.rows_out
        if is_maintained:
            maintained(project)
            yield run(project, IngestLogs).was_done, build(project, day).was_done
        else:
            yield True, True
    yield run(project, ProveFeatures).outcome.result
    if is_maintained:
        maintained(project)
        yield run(project, ProveFeatures).was_done
    else:
        yield True
    of_second_day = project.lake.read("ingest_files").where("day = '2026-03-02'").orderBy("path").collect()
    batch = next(row["ingest_batch"] for row in of_second_day if row["log"] == "payments")
    capsys.readouterr()
    yield run(project, UndoLoad, "--batch", batch, "--with-linked").outcome.result
    yield said(capsys)
    if is_maintained:
        maintained(project)
    yield run(project, IngestLogs).was_done
    yield build(project, 2).was_done


def maintained(project: Any) -> None:
    """Store every table anew, and see that no row and no version of it is another; a second time there is nothing."""
    rows, versions = contents(project), project.versions()
    outcome = run(project, MaintainTables).outcome
    assert " tables stored anew" in outcome.result
    assert contents(project) == rows
    now = project.versions()
    assert {name: now[name] for name in rows} == {name: versions[name] for name in rows}


def contents(project: Any) -> dict[str, Counter[str]]:
    """Every row of every table, without what names a run."""
    found = {}
    for table in sorted(set(project.lake.names()) - NOT_COMPARED):
        rows = project.lake.read(table)
        kept = rows.drop(*OF_A_RUN).select(F.to_json(F.struct("*"))).collect()
        found[table] = Counter(row[0] for row in kept)
    return found


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was said to be built on a load, without what differs from run to run."""
    lines = [
        line.split("was built on it")[1]
        for line in capsys.readouterr().err.splitlines()
        if "was built" in line
    ]
    return [re.sub(r"run \w{12}|http\S+|file\S+", "run", line) for line in lines]


def test_jobs_with_maintenance_in_between_do_what_they_do_without(
    project: Any, spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = type(project)(tmp_path / "twin", spark)
    for name in ("base.yml", "contracts/logs.yml", "definitions.py"):
        twin.write(name, (project.folder / name).read_text())
    without = list(some_days(twin, capsys, is_maintained=False))
    assert list(some_days(project, capsys, is_maintained=True)) == without
    assert contents(project) == contents(twin)
    lake = project.lake
    operations = [one.operation for one in history(spark, lake.place("events_payments"))]
    assert "OPTIMIZE" in operations
    assert (
        stored(spark, lake.place("features_payments")).files
        < stored(spark, twin.lake.place("features_payments")).files
    )
    assert {row["state"] for row in lake.read(MAINTENANCE.name).collect()} == {"done"}
