"""A person erased: no byte of the id stays, nobody else loses a row, and what comes later stays out."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from features.hot_key_report import HOT_KEYS
from jobs import erasure as erasure_module
from jobs.build_features import BuildFeatures
from jobs.erase_user import EraseUser
from jobs.explore_logs import ExploreLogs
from jobs.ingest_logs import IngestLogs
from jobs.job import now, run_job
from lake.described import described
from lake.erase.erasures import ERASURES
from lake.erase.rows import PersonalRows
from lake.errors import ConfigError, LockedError, RefusedError, TrustlakeError
from lake.hash_key import VARIABLE, HashKey
from lake.ingest.undone import UNDONE
from lake.locks import Claim, held
from lake.runs import RUNS
from lake.statistics import statistics_but
from lake.tables import CommitStamp, Lake, TableSpec
from scoring.tables import scores
from tests.project import Project, project_in
from training.training_set import table_spec

KEY = "0123456789abcdef"
WHO = "acc_zoe"
PAYMENT = '{{"payment_id": "{0}", "card_id": "{1}", "amount": {2}, "ts": "2026-03-0{3}T10:00:00Z"}}'
COLUMNS = described("id string: Id", "owner_id string: Owner")
OLD = TableSpec("features_old", "Of a view no more", COLUMNS, statistics_but(COLUMNS, ["owner_id"]))
LEFT_OUT = {
    "locks",
    "runs",
    "undone_loads",
    "erasures",
    "ingest_files",
    "ingest_batches",
    "seals",
    "lineage",
    "dimension_batches",
}
TOLD = "a payment of {0}, not of acc_zoe2, broke; ask {0}"
CARDS = """
---
log: cards
description: Changes of cards
files: {pattern: "cards/{day}.csv", format: csv}
key: [card_id, lsn]
subject: [card_id]
event_at: ts
known_at: {lag: 0s}
changes: {key: [card_id], order: lsn, op: op}
columns:
  card_id: {type: string, required: true}
  lsn: {type: long, required: true}
  op: {type: string, required: true, allowed: [I, U, D]}
"""

pytestmark = pytest.mark.minutes


@pytest.fixture(scope="module")
def _marketplace(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two days of payments by the person and others, with refused rows and broken lines, ingested."""
    project = project_in(tmp_path_factory.mktemp("marketplace"), _session)
    contracts = (project.folder / "contracts/logs.yml").read_text()
    contracts = contracts.replace(
        "key: [payment_id]", "key: [payment_id]\nsubject: [card_id]\nrefuse_above: 0.9"
    )
    project.write("contracts/logs.yml", contracts.replace("payments/{day}.jsonl", "payments/{day}.jsonl.gz"))
    lines = [
        PAYMENT.format("a", WHO, 1, 1),
        PAYMENT.format("b", "acc_zoe2", 2, 1),
        PAYMENT.format("c", WHO, -1, 1),
        PAYMENT.format("d", "acc_max", -2, 1),
        PAYMENT.format("e", WHO, 3, 1)[:40],
        '{"payment_id": "f", "card_id": "acc_zoe2", "amo',
    ]
    deliver(project, 1, *lines)
    deliver(project, 2, PAYMENT.format("a", WHO, 1, 1), PAYMENT.format("g", "acc_max", 5, 2))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, KEY)
        ingest(project)
    return project


@pytest.fixture
def marketplace(_marketplace: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of it."""
    monkeypatch.setenv(VARIABLE, KEY)
    shutil.copytree(_marketplace.folder, tmp_path, dirs_exist_ok=True)
    return replace(_marketplace, folder=tmp_path)


def everything_else(project: Project) -> None:
    """A change log, features, and rows in every other kind of table."""
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write("contracts/logs.yml", contracts + CARDS)
    changes = f"{WHO},1,I,2026-03-01T01:00:00Z\nacc_max,2,I,2026-03-01T02:00:00Z\n"
    project.write("raw/cards/2026-03-01.csv", f"card_id,lsn,op,ts\n{changes}")
    ingest(project)
    run_job(BuildFeatures, ["--config", project.config])
    lake = project.lake
    for spec in (HOT_KEYS, scores("fraud"), table_spec("fraud"), OLD):
        lake.ensure(spec)
    add(lake, "hot_keys", [{"key": one} for one in (WHO, f"{len(WHO)}:{WHO}3:abc", "acc_max")])
    add(lake, "scores_fraud", [{"row_id": one, "score": 0.5} for one in ("a", "b")])
    trained = [("a", WHO), ("b", "acc_zoe2"), ("long gone", WHO)]
    add(lake, "training_fraud", [{"row": digest(one), "entity": digest(who)} for one, who in trained])
    marked = "SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
    lake.spark.sql(f"ALTER TABLE {lake.place(OLD.name)} {marked}")
    add(lake, OLD.name, [{"id": "1", "owner_id": WHO}, {"id": "2", "owner_id": "acc_zoe2"}])
    add(lake, RUNS.name, [{"run_id": "told", "error": TOLD.format(WHO), "result": "nothing"}])
    lake.ensure(UNDONE)
    add(lake, UNDONE.name, [{"state": "done", "reason": TOLD.format(WHO)}])


def add(lake: Lake, table: str, rows: list[dict[str, object]]) -> None:
    schema = lake.read(table).schema
    values = [tuple(row.get(name) for name in schema.fieldNames()) for row in rows]
    lake.append(table, lake.spark.createDataFrame(values, schema))


def digest(identifier: str) -> str:
    return hashlib.sha256(identifier.encode()).hexdigest()


def deliver(project: Project, day: int, *lines: str) -> None:
    path = project.folder / f"raw/payments/2026-03-0{day}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def ingest(project: Project, *more: str) -> Any:
    return run_job(IngestLogs, ["--config", project.config, *more]).outcome


def erase(project: Project, *more: str, user: str = WHO) -> Any:
    argv = ["--config", project.config, "--user", user, "--reason", "request 7", "--vacuum-hours", "0", *more]
    return run_job(EraseUser, argv).outcome


def traces(project: Project, name: str = WHO) -> list[str]:
    """Every file of the lake and the raw folder that holds the name, as a word of its own."""
    found = []
    for path in sorted(project.folder.rglob("*")):
        is_ours = path.is_file() and path.suffix != ".crc" and path.name != "logs.yml"
        if is_ours and any(is_word(content, name.encode()) for content in contents_of(path)):
            found.append(str(path.relative_to(project.folder)))
    return found


def contents_of(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    if path.suffix == ".parquet":
        yield str(pq.read_table(path).to_pylist()).encode()


def is_word(content: bytes, name: bytes) -> bool:
    parts = content.split(name)
    return any(not after[:1].isalnum() for after in parts[1:])


def others(project: Project) -> dict[str, list[str]]:
    """Every row of the lake that is nobody's or somebody else's."""
    found = {}
    for table in sorted(set(project.versions()) - LEFT_OUT):
        texts = map(repr, project.lake.read(table).drop("run_id").collect())
        mine = (WHO, digest(WHO), "row_id='a'")
        found[table] = sorted(
            text for text in texts if not any(name in text.replace("acc_zoe2", "") for name in mine)
        )
    return found


def states(project: Project) -> set[str]:
    return {row["state"] for row in project.lake.read(ERASURES.name).collect()}


def test_after_an_erase_no_byte_of_the_person_stays_and_everybody_else_does(
    marketplace: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project = marketplace
    everything_else(project)
    before, versions = others(project), project.versions()
    assert traces(project)
    assert "would be removed" in erase(project, "--dry-run").result
    changed = {table for table, version in project.versions().items() if version != versions.get(table)}
    assert changed == {"locks", "runs"}
    capsys.readouterr()
    outcome = erase(project)
    said = capsys.readouterr().err
    assert traces(project) == []
    assert WHO not in said.replace("acc_zoe2", "")
    assert others(project) == before
    assert outcome.result == "12 rows of 11 places removed, 3 raw files and 0 pages rewritten"
    assert "disputes: the contract has no `subject`" in said
    assert "counted the user's payments: build_features payments" in said
    assert "can no longer be read: " in said
    rows = project.lake.read(ERASURES.name).collect()
    assert {row["place"]: (row["rows"], row["files"]) for row in rows} == {
        "events_payments": (1, 0),
        "events_cards": (1, 0),
        "dim_cards": (1, 0),
        "features_payments": (1, 0),
        "features_old": (1, 0),
        "scores_fraud": (1, 0),
        "training_fraud": (2, 0),
        "quarantine": (2, 0),
        "hot_keys": (2, 0),
        "raw files of payments": (4, 2),
        "raw files of cards": (1, 1),
    }
    hashed = HashKey(KEY.encode()).hashed(WHO)
    assert {(row["state"], row["reason"], row["user_hash"]) for row in rows} == {
        ("done", "request 7", hashed)
    }
    assert project.lake.read(RUNS.name).where(f"slice LIKE '%{hashed}%'").count() == 2
    (told,) = project.lake.read(RUNS.name).where("run_id = 'told'").collect()
    assert (told["error"], told["result"]) == (TOLD.format(hashed), "nothing")
    assert [row["reason"] for row in project.lake.read(UNDONE.name).collect()] == [TOLD.format(hashed)]
    assert project.spark.conf.get("spark.databricks.delta.retentionDurationCheck.enabled", None) != "false"


def test_what_is_delivered_again_is_counted_and_stays_out(
    marketplace: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = marketplace
    erase(project)
    assert traces(project) == []
    before = others(project)
    late = [
        PAYMENT.format("h", WHO, 1, 3),
        PAYMENT.format("i", WHO, -1, 3),
        PAYMENT.format("j", WHO, 1, 3)[:40],
        PAYMENT.format("k", "acc_zoe2", 4, 3),
    ]
    deliver(project, 3, *late)
    outcome = ingest(project)
    assert (outcome.rows_in, outcome.rows_out, outcome.refused) == (4, 1, 3)
    assert "3 erased" in outcome.result
    (batch,) = project.lake.read("ingest_batches").where("first_day = '2026-03-03'").collect()
    assert batch["reasons"] == {"erased": 3}
    assert traces(project) == ["raw/payments/2026-03-03.jsonl.gz"]
    after = others(project)
    (new,) = set(after["events_payments"]) - set(before["events_payments"])
    assert "payment_id='k'" in new
    assert after["quarantine"] == before["quarantine"]
    deliver(project, 4, PAYMENT.format("l", WHO, 1, 4))
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ConfigError, match=r"1 users were erased, and .* is not set"):
        ingest(project)


def test_a_refused_row_of_somebody_erased_is_not_replayed(marketplace: Project) -> None:
    project = marketplace
    key = HashKey(KEY.encode())
    lake = project.lake
    lake.ensure(ERASURES)
    row = (key.hashed(WHO), "nowhere", "done", "by hand", 0, 0, None, "run")
    lake.append(ERASURES.name, lake.spark.createDataFrame([row], ERASURES.schema))
    contracts = (project.folder / "contracts/logs.yml").read_text()
    project.write("contracts/logs.yml", contracts.replace("min: 0", "min: -5"))
    outcome = ingest(project, "--replay-quarantine")
    assert (outcome.rows_in, outcome.rows_out) == (4, 1)
    texts = [row["text"] for row in lake.read("quarantine").collect()]
    assert texts == ['{"payment_id": "f", "card_id": "acc_zoe2", "amo']


STEPS: dict[str, tuple[Any, str, int]] = {
    "last table": (PersonalRows, "remove", 1),
    "second rename": (Path, "replace", 1),
    "vacuum": (erasure_module, "vacuum", 1),
}


def dying(original: Callable[..., Any], after: int) -> Callable[..., Any]:
    calls: list[None] = []

    def die(*arguments: Any, **named: Any) -> Any:
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(None)
        return original(*arguments, **named)

    return die


def test_an_erase_killed_at_any_step_is_finished_by_running_it_again(
    marketplace: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = marketplace
    before = others(project)
    deliver(project, 4, PAYMENT.format("z", "acc_max", 1, 4))
    for place, name, after in STEPS.values():
        with monkeypatch.context() as broken:
            broken.setattr(place, name, dying(getattr(place, name), after))
            with pytest.raises(KeyboardInterrupt):
                erase(project)
        assert "begun" in states(project)
    with pytest.raises(RefusedError, match=r"was erased in part by run .*request 7"):
        ingest(project)
    erase(project)
    assert traces(project) == []
    assert others(project) == before
    assert states(project) == {"done"}
    assert ingest(project).rows_in == 1


def test_raw_files_and_history_may_be_kept_and_an_unknown_person_is_kept_out_too(
    marketplace: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project = marketplace
    argv = ["--config", project.config, "--reason", "request 7", "--keep-raw", "--user"]
    run_job(EraseUser, [*argv, WHO])
    said = capsys.readouterr().err
    assert "raw files stay as they are" in said
    assert "old versions hold the rows for 168 hours more: " in said
    assert "raw/payments/2026-03-01.jsonl.gz" in traces(project)
    assert project.lake.read("events_payments").where(f"card_id = '{WHO}'").count() == 0
    outcome = run_job(EraseUser, [*argv, "acc_nobody"]).outcome
    assert outcome.result == "0 rows of 0 places removed, 0 raw files and 0 pages rewritten"
    assert (
        "nothing is there of the user; later deliveries are kept out all the same" in capsys.readouterr().err
    )
    (row,) = project.lake.read(ERASURES.name).where("place = 'nowhere'").collect()
    assert (row["rows"], row["state"]) == (0, "done")
    deliver(project, 3, PAYMENT.format("n", "acc_nobody", 1, 3), PAYMENT.format("o", WHO, 1, 3))
    assert ingest(project).rows_out == 0


def test_pages_of_an_exploration_lose_the_person_and_nobody_else(marketplace: Project) -> None:
    project = marketplace
    run_job(ExploreLogs, ["--config", project.config])
    before = pages(project)
    naming = [path for path, text in before.items() if is_word(text.encode(), WHO.encode())]
    assert naming
    outcome = erase(project)
    assert f"{len(naming)} pages rewritten" in outcome.result
    after = pages(project)
    assert set(after) == set(before)
    for path, text in before.items():
        assert after[path] == re.sub(rf"{WHO}(?!\w)", "(erased)", text)
        assert ("acc_zoe2" in after[path]) == ("acc_zoe2" in text)


def pages(project: Project) -> dict[str, str]:
    """What ``explore_logs`` wrote to MLflow, page by page."""
    store = project.folder / "mlflow"
    return {str(path): path.read_text() for path in store.rglob("explore/*.html")}


def test_an_erase_waits_for_jobs_that_copy_rows_and_they_for_it(marketplace: Project) -> None:
    project = marketplace
    other = Lake(
        project.lake.spark,
        project.lake.settings,
        CommitStamp(run_id="other", code_version="t", config_hash="t"),
    )
    with (
        held(other, Claim("score_events", "fraud"), now),
        pytest.raises(LockedError, match="score_events fraud is being worked on by"),
    ):
        erase(project)
    assert project.lake.read("events_payments").where(f"card_id = '{WHO}'").count() == 1
    with (
        held(other, Claim("erase_user", "all users"), now),
        pytest.raises(LockedError, match="erase_user all users is being worked on by"),
    ):
        run_job(ExploreLogs, ["--config", project.config])
    erase(project)
    run_job(ExploreLogs, ["--config", project.config])


def test_what_cannot_be_done_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=f"{VARIABLE} is not set; a person who was erased is recognised by"):
        erase(project)
    monkeypatch.setenv(VARIABLE, KEY)
    with pytest.raises(ConfigError, match="no contract of payments, disputes has a `subject`"):
        erase(project)
    argv = ["--config", project.config, "--user", WHO, "--reason", f"{WHO} asked"]
    with pytest.raises(TrustlakeError, match="--reason names the user"):
        run_job(EraseUser, argv)
