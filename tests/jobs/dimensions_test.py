"""Change logs and ledgers through the job: dimensions stand beside the events, and transactions complete themselves."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import ingest_logs as job_module
from jobs.ingest_logs import IngestLogs
from jobs.job import run_job
from jobs.undo_load import UndoLoad

CONTRACTS = """\
log: account_changes
description: Changes of accounts
files: {pattern: "changes/{day}.jsonl", format: json}
key: [account_id, lsn]
event_at: updated_ts
known_at: {lag: 0s}
changes: {key: [account_id], order: lsn, op: op}
columns:
  account_id: {type: string, required: true}
  lsn: {type: long, required: true}
  op: {type: string, required: true, allowed: [I, U, D]}
  status: {type: string, description: How the account stands}
---
log: ledger_entries
description: Entries
files: {pattern: "ledger/{day}.jsonl", format: json}
key: [entry_id]
event_at: booked_ts
known_at: {lag: 0s}
refuse_above: 1
balance: {by: [txn_id], amount: amount_minor, side: side}
columns:
  entry_id: {type: string}
  txn_id: {type: string, required: true}
  side: {type: string, required: true, allowed: [debit, credit]}
  amount_minor: {type: long, required: true}
"""
CHANGE = '{{"account_id": "{0}", "lsn": {1}, "op": "{2}", "status": "{3}", "updated_ts": "2026-03-01T{1:02}:00:00Z"}}\n'
ENTRY = (
    '{{"entry_id": "{0}", "txn_id": "t", "side": "{1}", "amount_minor": 5, "booked_ts": "2026-03-0{2}"}}\n'
)


def versions(project: Any) -> list[tuple[object, ...]]:
    rows = project.lake.read("dim_account_changes").collect()
    hours = [
        (r["account_id"], r["status"], r["valid_from"].hour, r["valid_to"] and r["valid_to"].hour)
        for r in rows
    ]
    return sorted(hours, key=str)


def test_an_ingest_keeps_dimensions_and_completes_transactions(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("contracts/more.yml", CONTRACTS)
    project.write(
        "raw/changes/2026-03-01.jsonl", CHANGE.format("a", 1, "I", "new") + CHANGE.format("a", 9, "D", "")
    )
    project.write("raw/ledger/2026-03-01.jsonl", ENTRY.format("e1", "debit", 1))
    argv = ["--config", project.config]
    first = run_job(IngestLogs, argv).outcome
    assert first.result == "0 duplicates · 1 ledger_imbalance"
    assert first.place == "events (4 tables), dim_account_changes, quarantine"
    assert versions(project) == [("a", "new", 1, 9)]
    assert run_job(IngestLogs, argv).was_done

    project.write(
        "raw/changes/2026-03-02.jsonl", CHANGE.format("a", 5, "U", "known") + CHANGE.format("b", 7, "U", "x")
    )
    project.write("raw/ledger/2026-03-02.jsonl", ENTRY.format("e2", "credit", 2))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("replay_completed", "refresh"):
        with monkeypatch.context() as broken:
            broken.setattr(job_module, step, die)
            with pytest.raises(KeyboardInterrupt):
                run_job(IngestLogs, argv)
    run_job(IngestLogs, argv)
    assert versions(project) == [("a", "known", 5, 9), ("a", "new", 1, 5), ("b", "x", 7, None)]
    entries = project.lake.read("events_ledger_entries").collect()
    assert sorted(row["entry_id"] for row in entries) == ["e1", "e2"]
    assert project.lake.read("quarantine").count() == 0
    schema = project.lake.read("dim_account_changes").schema
    assert schema["status"].metadata["comment"] == "How the account stands"


def test_a_load_that_is_taken_back_leaves_the_dimension(project: Any) -> None:
    project.write("contracts/more.yml", CONTRACTS)
    argv = ["--config", project.config]
    deliveries = [
        [CHANGE.format("a", 1, "I", "new")],
        [CHANGE.format("a", 5, "U", "known"), CHANGE.format("b", 7, "I", "x")],
    ]
    found = []
    for day, rows in enumerate(deliveries, start=1):
        project.write(f"raw/changes/2026-03-0{day}.jsonl", "".join(rows))
        run_job(IngestLogs, argv)
        found.append(versions(project))
    assert found == [
        [("a", "new", 1, None)],
        [("a", "known", 5, None), ("a", "new", 1, 5), ("b", "x", 7, None)],
    ]
    for day, left in ((2, found[0]), (1, [])):
        files = project.lake.read("ingest_files").where(f"path = 'changes/2026-03-0{day}.jsonl'").collect()
        run_job(UndoLoad, [*argv, "--batch", files[0]["ingest_batch"]])
        assert versions(project) == left
    run_job(IngestLogs, argv)
    assert versions(project) == found[1]
