"""The ingest as a job: every contract, a range of days, one line of what was refused, and nothing to do twice."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from pyspark.sql import functions as F

from jobs import finishing, ingest_logs
from jobs.ingest_logs import IngestLogs, code_settings
from jobs.job import run_job
from lake.errors import RefusedError, TrustlakeError
from lake.ingest.files import Batch, RawFile
from lake.runs import RUNS
from lake.session_settings import INTERPRETED, session_settings

PAYMENT = '{{"payment_id": "{0}", "card_id": "c", "amount": {1}, "ts": "2026-03-0{2}T10:00:00Z"}}\n'
DISPUTE = '{{"dispute_id": "d{0}", "payment_id": "{0}", "ts": "2026-03-0{1}T10:00:00Z"}}\n'


def deliver(project: Any) -> None:
    """Three days of payments, one of disputes; a refused row, a duplicate and a broken file among them."""
    rows = [PAYMENT.format(n, n, 1) for n in range(25)]
    project.write("raw/payments/2026-03-01.jsonl", "".join(rows) + PAYMENT.format("bad", -1, 1))
    project.write("raw/payments/2026-03-02.jsonl", PAYMENT.format(3, 99, 2) + PAYMENT.format("new", 1, 2))
    project.write("raw/disputes/2026-03-02.jsonl", DISPUTE.format(3, 2))


def test_a_range_is_ingested_whole_reported_and_not_twice(project: Any) -> None:
    deliver(project)
    argv = ["--config", project.config, "--from", "2026-03-01", "--to", "2026-03-03"]
    done = run_job(IngestLogs, argv)
    assert (done.outcome.rows_in, done.outcome.rows_out, done.outcome.refused) == (29, 27, 1)
    assert done.outcome.result == "1 duplicates · 1 amount_below_0"
    assert done.outcome.place == "events (2 tables), quarantine"
    before = project.versions()
    assert run_job(IngestLogs, argv).was_done is True
    assert project.versions() == before

    broken = gzip.compress(PAYMENT.format("lost", 1, 3).encode() * 999)[:-20]
    (project.folder / "raw/payments/2026-03-03.jsonl").write_text(
        PAYMENT.format("late", 1, 3), encoding="utf-8"
    )
    project.write(
        "contracts/logs.yml", (project.folder / "contracts/logs.yml").read_text().replace(".jsonl", ".jsonl*")
    )
    (project.folder / "raw/payments/2026-03-03.jsonl.gz").write_bytes(broken)
    added = run_job(IngestLogs, ["--config", project.config]).outcome
    assert (added.rows_in, added.rows_out, added.refused) == (1, 1, 0)
    assert added.result == "0 duplicates · 1 unreadable_file"
    states = [row["state"] for row in project.lake.read(RUNS.name).collect()]
    assert states == ["done", "done"]


def test_hours_of_a_day_are_ingested_as_they_come(project: Any) -> None:
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write(
        "contracts/logs.yml", contracts.replace("payments/{day}.jsonl", "payments/{day}/hour=*/*.jsonl")
    )
    done = []
    for hour in ("00", "06"):
        rows = [PAYMENT.format(name, 1, 1) for name in ("same", f"of {hour}")]
        project.write(f"raw/payments/2026-03-01/hour={hour}/part-0.jsonl", "".join(rows))
        done.append(project.work(IngestLogs, "--from", "2026-03-01", "--to", "2026-03-02"))
    assert [(outcome.rows_in, outcome.rows_out) for outcome in done] == [(2, 2), (2, 1)]
    events = project.lake.read("events_payments")
    assert {row["payment_id"] for row in events.collect()} == {"same", "of 00", "of 06"}
    assert not {"day", "hour"} & set(events.columns)


def test_a_killed_job_is_finished_by_the_same_command(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(project)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(finishing, "note_finished", die)
        with pytest.raises(KeyboardInterrupt):
            project.work(IngestLogs)
    outcome = project.work(IngestLogs)
    assert (outcome.rows_in, outcome.rows_out, outcome.refused) == (29, 27, 1)
    assert project.lake.read("events_payments").select(F.count_distinct("payment_id")).first()[0] == 26
    assert project.lake.read("quarantine").count() == 1


def test_a_root_without_any_file_is_told(shared_project: Any) -> None:
    with pytest.raises(
        TrustlakeError, match=r"raw holds no file of any contract; deliver some, or correct `raw.root`"
    ):
        shared_project.work(IngestLogs)


def test_a_day_without_a_promised_file_is_refused_before_anything_is_written(project: Any) -> None:
    deliver(project)
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write("contracts/logs.yml", contracts.replace("format: json}", "format: json, daily: true}"))
    with pytest.raises(RefusedError, match="disputes has no file with anything in it for 2026-03-01 under"):
        project.work(IngestLogs, "--from", "2026-03-01", "--to", "2026-03-03")
    assert project.versions() == {}


def test_a_mended_contract_brings_rows_back_and_new_columns(project: Any) -> None:
    deliver(project)
    project.work(IngestLogs)
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write(
        "contracts/logs.yml",
        contracts.replace("min: 0", "min: -5") + "  reason: {type: string, from: [reason, why]}\n",
    )
    replay = ["--config", project.config, "--replay-quarantine"]
    outcome = run_job(IngestLogs, replay).outcome
    assert (outcome.rows_in, outcome.rows_out, outcome.refused) == (1, 1, 0)
    payments, disputes = (project.lake.read(f"events_{log}") for log in ("payments", "disputes"))
    assert payments.where("payment_id = 'bad' AND amount = -1").count() == 1
    assert project.lake.read("quarantine").count() == 0
    project.write("raw/disputes/2026-03-03.jsonl", DISPUTE.format(4, 3).replace("}", ', "why": "lost"}'))
    project.work(IngestLogs)
    assert {row["dispute_id"]: row["reason"] for row in disputes.collect()} == {"d3": None, "d4": "lost"}
    assert run_job(IngestLogs, replay).outcome.rows_in == 0


def test_a_replay_takes_no_range_and_needs_a_quarantine(project: Any) -> None:
    deliver(project)
    with pytest.raises(TrustlakeError, match=r"quarantine` does not exist; ingest logs first"):
        project.work(IngestLogs, "--replay-quarantine")
    with pytest.raises(TrustlakeError, match="reads the rows of all days; leave out --from and --to"):
        project.work(IngestLogs, "--replay-quarantine", "--from", "2026-03-01")


def test_code_is_generated_for_large_batches_alone() -> None:
    def batch(*megabytes: int) -> Batch:
        files = [RawFile("2026-03-01", f"payments/{n}", size * 2**20, 0) for n, size in enumerate(megabytes)]
        return Batch("payments", "some", tuple(files))

    assert code_settings({"payments": [batch(20, 2)], "disputes": [batch(1), batch(39)]}) == INTERPRETED
    assert code_settings({"payments": [batch(30, 30)], "disputes": [batch(5)]}) == {}
    assert code_settings({"payments": []}) == {}


def test_code_that_is_generated_ingests_the_same(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_logs, "_WORTH_CODE", 0)
    deliver(project)
    generated = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "CODEGEN_ONLY"}
    with session_settings(project.spark, generated):
        done = run_job(IngestLogs, ["--config", project.config, "--to", "2026-03-03"])
    assert (done.outcome.rows_in, done.outcome.rows_out, done.outcome.refused) == (29, 27, 1)
    assert done.outcome.result == "1 duplicates · 1 amount_below_0"
