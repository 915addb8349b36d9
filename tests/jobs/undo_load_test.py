"""A load taken back: as if it had never come, nothing else lost, and its files can come again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from jobs.build_features import BuildFeatures
from jobs.dependents import dependents
from jobs.ingest_logs import IngestLogs
from jobs.job import run_job
from jobs.undo_load import UndoLoad
from lake.errors import RefusedError, TrustlakeError
from lake.ingest.undone import UNDONE
from lake.runs import RUNS
from lake.tables import Lake
from tests.project import project_in

PAYMENT = '{{"payment_id": "{0}", "card_id": "c", "amount": {1}, "ts": "2026-03-0{2}T10:00:00Z"}}\n'
DISPUTE = '{"dispute_id": "d1", "payment_id": "a", "ts": "2026-03-01T10:00:00Z"}\n'
TABLES = ("events_payments", "events_disputes", "quarantine", "ingest_files", "ingest_batches")

pytestmark = pytest.mark.minutes


def deliver(project: Any, day: int, *rows: tuple[str, float]) -> None:
    text = "".join(PAYMENT.format(name, amount, day) for name, amount in rows)
    project.write(f"raw/payments/2026-03-0{day}.jsonl", text)


def good_and_bad(project: Any) -> None:
    """Two days of payments, the second with a refused row and two duplicates, one of them of the first day."""
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write(
        "contracts/logs.yml", contracts.replace("event_at: ts", "event_at: ts\nrefuse_above: 0.9", 1)
    )
    deliver(project, 1, ("a", 1), ("b", 2))
    project.write("raw/disputes/2026-03-01.jsonl", DISPUTE)
    ingest(project)
    deliver(project, 2, ("b", 2), ("c", 3), ("c", 4), ("bad", -1))


def ingest(project: Any, *more: str) -> str:
    """Run the ingest as a job; returns the run's id."""
    run_job(IngestLogs, ["--config", project.config, *more])
    return str(
        project.lake.read(RUNS.name)
        .where("job = 'ingest_logs'")
        .orderBy("finished_at")
        .collect()[-1]["run_id"]
    )


def undo(project: Any, *argv: str) -> Any:
    return run_job(UndoLoad, ["--config", project.config, *argv]).outcome


def contents(project: Any) -> dict[str, list[str]]:
    """Every row of the tables of the ingest, without the run that wrote it."""
    found = {}
    for table in TABLES:
        rows = project.lake.read(table).drop("run_id").collect()
        found[table] = sorted(map(repr, rows))
    return found


def batch_of(project: Any, day: int) -> str:
    rows = project.lake.read("ingest_files").where(f"path = 'payments/2026-03-0{day}.jsonl'").collect()
    return str(rows[0]["ingest_batch"])


@dataclass(frozen=True)
class TwoLoads:
    """A project after two loads: what its tables held after the first and after both, and the second."""

    project: Any
    first: dict[str, list[str]]
    both: dict[str, list[str]]
    run: str
    batch: str


@pytest.fixture(scope="module")
def _two_loads(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> TwoLoads:
    project = project_in(tmp_path_factory.mktemp("two_loads"), _session)
    good_and_bad(project)
    first = contents(project)
    run = ingest(project)
    return TwoLoads(project, first, contents(project), run, batch_of(project, 2))


@pytest.fixture
def two_loads(_two_loads: TwoLoads, tmp_path: Path) -> TwoLoads:
    """A copy of it."""
    made = replace(_two_loads.project, folder=tmp_path)
    shutil.copytree(_two_loads.project.folder, tmp_path, dirs_exist_ok=True)
    return replace(_two_loads, project=made)


def test_a_load_undone_is_as_if_it_had_never_come_and_comes_again(two_loads: TwoLoads) -> None:
    project, run, batch = two_loads.project, two_loads.run, two_loads.batch
    planned = undo(project, "--run", run, "--dry-run")
    assert planned.result == "1 batches with 1 events would be removed, 0 runs had read them"
    assert contents(project) == two_loads.both
    assert undo(project, "--run", run, "--reason", "cents").result.startswith(
        "1 batches with 1 events removed"
    )
    assert contents(project) == two_loads.first
    (row,) = project.lake.read(UNDONE.name).collect()
    assert (row["ingest_batch"], row["loaded_by"], row["state"], row["reason"]) == (
        batch,
        run,
        "done",
        "cents",
    )
    assert (row["events"], row["quarantined"], row["files"]) == (1, 1, 1)
    undo(project, "--run", run, "--reason", "cents")
    assert contents(project) == two_loads.first
    ingest(project)
    assert contents(project) == two_loads.both
    undo(project, "--batch", batch)
    deliver(project, 2, ("c", 30), ("d", 4))
    ingest(project)
    amounts = {r["payment_id"]: int(r["amount"]) for r in project.lake.read("events_payments").collect()}
    assert amounts == {"a": 1, "b": 2, "c": 30, "d": 4}
    with pytest.raises(TrustlakeError, match="run nobody loaded nothing that"):
        undo(project, "--run", "nobody")


@pytest.mark.parametrize("removed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3, 4))])
def test_an_undo_killed_between_its_commits_is_finished_before_anything_is_ingested(
    two_loads: TwoLoads, monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    project, batch = two_loads.project, two_loads.batch
    remove = Lake.replace
    commits: list[None] = []

    def die(*arguments: Any, **named: Any) -> None:
        if len(commits) == removed:
            raise KeyboardInterrupt
        remove(*arguments, **named)
        commits.append(None)

    with monkeypatch.context() as broken:
        broken.setattr(Lake, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            project.work(UndoLoad, "--batch", batch)
    with pytest.raises(RefusedError, match=f"batch {batch} of payments was taken back in part by run run-1"):
        project.work(IngestLogs)
    project.work(UndoLoad, "--batch", batch)
    assert contents(project) == two_loads.first
    assert [row["state"] for row in project.lake.read(UNDONE.name).collect()] == ["done"]
    project.work(IngestLogs)
    assert contents(project) == two_loads.both


def test_batches_that_hold_an_event_only_as_a_duplicate_must_go_too_and_a_run_goes_from_all_its_logs(
    two_loads: TwoLoads,
) -> None:
    project, second = two_loads.project, two_loads.batch
    first = batch_of(project, 1)
    (run,) = {row["run_id"] for row in project.lake.read("ingest_batches").collect()} - {two_loads.run}
    deliver(project, 3, ("d", 1), ("d", 1))
    ingest(project)
    third, before = batch_of(project, 3), contents(project)
    expected = f"payments: rows would be lost, for batch {second} delivered events of theirs again, as duplicates; say"
    with pytest.raises(RefusedError, match=expected):
        undo(project, "--run", run)
    assert contents(project) == before
    undo(project, "--run", run, "--with-linked")
    assert [row["payment_id"] for row in project.lake.read("events_payments").collect()] == ["d"]
    assert project.lake.read("events_disputes").count() == 0
    removed = [
        (row["log"], row["events"], row["ingest_batch"]) for row in project.lake.read(UNDONE.name).collect()
    ]
    assert min(removed)[:2] == ("disputes", 1)
    assert sorted(removed)[1:] == [("payments", 1, second), ("payments", 2, first)]
    (project.folder / "raw/payments/2026-03-01.jsonl").unlink()
    ingest(project)
    found = {row["payment_id"] for row in project.lake.read("events_payments").collect()}
    assert found == {"b", "c", "d"}
    assert batch_of(project, 3) == third


def test_a_replay_goes_with_the_deliveries_whose_rows_it_brought_back(two_loads: TwoLoads) -> None:
    project, batch = two_loads.project, two_loads.batch
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write("contracts/logs.yml", contracts.replace("min: 0", "min: -5"))
    run = ingest(project, "--replay-quarantine")
    both = {row["payment_id"] for row in project.lake.read("events_payments").collect()}
    assert both == {"a", "b", "c", "bad"}
    with pytest.raises(RefusedError, match=f"batch {batch} shares replayed rows with"):
        undo(project, "--run", run)
    undo(project, "--batch", batch, "--with-linked")
    assert {row["payment_id"] for row in project.lake.read("events_payments").collect()} == {"a", "b"}
    assert project.lake.read("ingest_batches").where("kind = 'replay'").count() == 0
    ingest(project)
    assert {row["payment_id"] for row in project.lake.read("events_payments").collect()} == both


def test_a_replay_that_was_killed_before_its_end_is_taken_back_alone(
    two_loads: TwoLoads, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, batch = two_loads.project, two_loads.batch
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write("contracts/logs.yml", contracts.replace("min: 0", "min: -5"))
    with monkeypatch.context() as broken:

        def die(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        broken.setattr("lake.ingest.replay.note_finished", die)
        with pytest.raises(KeyboardInterrupt):
            project.work(IngestLogs, "--replay-quarantine")
    (half,) = project.lake.read("events_payments").where("payment_id = 'bad'").collect()
    with pytest.raises(RefusedError, match=f"batch {half['ingest_batch']}, a replay of .* is half ingested"):
        undo(project, "--batch", batch)
    undo(project, "--batch", half["ingest_batch"])
    assert contents(project) == two_loads.both
    ingest(project, "--replay-quarantine")
    found = {row["payment_id"] for row in project.lake.read("events_payments").collect()}
    assert found == {"a", "b", "c", "bad"}


def test_what_was_built_on_a_load_is_named_and_stays(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    good_and_bad(project)
    argv = ["--config", project.config, "--from", "2026-03-01", "--to"]
    run_job(BuildFeatures, [*argv, "2026-03-02"])
    run = ingest(project)
    run_job(BuildFeatures, [*argv, "2026-03-04"])
    features = project.lake.read("features_payments").count()
    capsys.readouterr()
    undo(project, "--run", run)
    said = capsys.readouterr().err
    told = [line for line in said.splitlines() if "was built on it" in line]
    (row,) = project.lake.read(UNDONE.name).collect()
    assert len(told) == 1
    assert "build_features payments 2026-03-01 to 2026-03-04, run " in told[0]
    assert row["dependents"] in told[0]
    assert "features_payments version" in row["dependents"]
    assert "in this order with --replace" in said
    assert project.lake.read("features_payments").count() == features


def test_a_run_that_read_several_tables_is_named_once_and_after_those_it_rests_on() -> None:
    def run(job: str, inputs: dict[str, int], outputs: dict[str, int]) -> Row:
        return Row(run_id=job, job=job, slice="all", inputs=inputs, outputs=outputs, result=None)

    finished = [
        run("early", {"events_payments": 1}, {"features": 1}),
        run("build", {"events_payments": 2}, {"features": 2}),
        run("train", {"features": 2, "events_disputes": 1}, {"model_quality": 1}),
        run("score", {"features": 1}, {"scores": 1}),
        run("watch", {"scores": 1, "model_quality": 1}, {}),
    ]
    since = {"events_disputes": 1, "events_payments": 2}
    assert [line.split()[0] for line in dependents(finished, since)] == ["build", "train", "watch"]
    assert dependents(finished, {"events_logins": 0}) == []
