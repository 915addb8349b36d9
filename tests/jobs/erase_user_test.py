"""A person erased: no byte of the id stays, nobody else loses a row, and what comes later stays out."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs import erasure as erasure_module
from jobs.build_features import BuildFeatures
from jobs.erase_user import EraseUser
from jobs.ingest_logs import IngestLogs
from jobs.job import run_job
from lake.described import described
from lake.erase.erasures import ERASURES
from lake.erase.rows import PersonalRows
from lake.errors import ConfigError, RefusedError, TrustlakeError
from lake.hash_key import VARIABLE, HashKey
from lake.runs import RUNS
from lake.tables import TableSpec
from scoring.tables import scores
from training.training_set import table_spec

SECRET = "0123456789abcdef"
WHO = "acc_zoe"
PAYMENT = '{{"payment_id": "{0}", "card_id": "{1}", "amount": {2}, "ts": "2026-03-0{3}T10:00:00Z"}}'
TABLES = ("events_payments", "events_disputes", "features_payments", "quarantine", "dim_cards", "hot_keys")
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


@pytest.fixture
def marketplace(project: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two days of payments by the person and others, with broken lines, a change log, and features."""
    monkeypatch.setenv(VARIABLE, SECRET)
    contracts = (project.folder / "contracts/logs.yml").read_text()
    contracts = contracts.replace(
        "key: [payment_id]", "key: [payment_id]\nsubject: [card_id]\nrefuse_above: 0.9"
    )
    contracts = contracts.replace("payments/{day}.jsonl", "payments/{day}.jsonl.gz")
    project.write("contracts/logs.yml", contracts + CARDS)
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
    project.write(
        "raw/cards/2026-03-01.csv",
        f"card_id,lsn,op,ts\n{WHO},1,I,2026-03-01T01:00:00Z\nacc_max,2,I,2026-03-01T02:00:00Z\n",
    )
    project.write(
        "raw/disputes/2026-03-02.jsonl", '{"dispute_id": "d1", "payment_id": "g", "ts": "2026-03-02"}\n'
    )
    ingest(project)
    run_job(BuildFeatures, ["--config", project.config])
    hot = [("k", "payments", "card", one, 9, 0.5, 2) for one in (WHO, f"{len(WHO)}:{WHO}3:abc", "acc_max")]
    lake = project.lake
    lake.append("hot_keys", lake.spark.createDataFrame(hot, lake.read("hot_keys").schema)) if lake.exists(
        "hot_keys"
    ) else made(lake, hot)
    return project


def made(lake: Any, hot: list[tuple[Any, ...]]) -> None:
    from features.hot_key_report import HOT_KEYS

    lake.ensure(HOT_KEYS)
    lake.append("hot_keys", lake.spark.createDataFrame(hot, HOT_KEYS.schema))


def deliver(project: Any, day: int, *lines: str) -> None:
    path = project.folder / f"raw/payments/2026-03-0{day}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def ingest(project: Any, *more: str) -> Any:
    return run_job(IngestLogs, ["--config", project.config, *more]).outcome


def erase(project: Any, *more: str, user: str = WHO) -> Any:
    argv = ["--config", project.config, "--user", user, "--reason", "request 7", "--vacuum-hours", "0", *more]
    return run_job(EraseUser, argv).outcome


def traces(project: Any, name: str = WHO) -> list[str]:
    """Every file of the lake and the raw folder that holds the name, as a word of its own."""
    found = []
    for path in sorted(project.folder.rglob("*")):
        if path.is_file() and path.suffix != ".crc" and path.name != "logs.yml":
            if any(is_word(content, name.encode()) for content in contents_of(path)):
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


def others(project: Any) -> dict[str, list[str]]:
    """Every row of the lake that does not name the person."""
    rows = {table: project.lake.read(table).drop("run_id").collect() for table in TABLES}
    return {table: sorted(text for text in map(repr, found) if WHO not in text.replace("acc_zoe2", ""))
            for table, found in rows.items()}  # fmt: skip


def states(project: Any) -> set[str]:
    return {row["state"] for row in project.lake.read(ERASURES.name).collect()}


def test_after_an_erase_no_byte_of_the_person_stays_and_everybody_else_does(
    marketplace: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project = marketplace
    before, versions = others(project), project.versions()
    assert traces(project)
    planned = erase(project, "--dry-run")
    assert "would be removed" in planned.result
    unchanged = {
        table: version for table, version in project.versions().items() if table not in {"locks", "runs"}
    }
    assert unchanged == {
        table: version for table, version in versions.items() if table not in {"locks", "runs"}
    }
    capsys.readouterr()
    outcome = erase(project)
    said = capsys.readouterr().err
    assert traces(project) == []
    assert WHO not in said.replace("acc_zoe2", "")
    assert others(project) == before
    assert outcome.result == "6 rows of 8 places removed, 3 raw files and 0 pages rewritten"
    assert "disputes: the contract has no `subject`" in said
    assert "counted the user's payments: build_features payments" in said
    assert "can no longer be read: " in said
    found = {row["place"]: (row["rows"], row["files"]) for row in project.lake.read(ERASURES.name).collect()}
    assert found == {
        "events_payments": (1, 0),
        "events_cards": (1, 0),
        "dim_cards": (1, 0),
        "features_payments": (1, 0),
        "quarantine": (2, 0),
        "hot_keys": (2, 0),
        "raw files of payments": (4, 2),
        "raw files of cards": (1, 1),
    }
    rows = project.lake.read(ERASURES.name).collect()
    assert {(row["state"], row["reason"], row["user_hash"]) for row in rows} == {
        ("done", "request 7", HashKey(SECRET.encode()).hashed(WHO))
    }
    assert project.lake.read(RUNS.name).where(f"slice LIKE '%{WHO}%'").count() == 0
    assert project.spark.conf.get("spark.databricks.delta.retentionDurationCheck.enabled", "unset") != "false"


def test_what_is_delivered_again_is_counted_and_stays_out(marketplace: Any) -> None:
    project = marketplace
    erase(project)
    before = others(project)
    assert ingest(project).rows_in == 0
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
    assert {row for row in after["events_payments"] if row not in before["events_payments"]} == {
        row for row in after["events_payments"] if "payment_id='k'" in row
    }
    assert ingest(project, "--replay-quarantine").rows_out == 0
    erase(project)
    assert traces(project) == []


def test_a_refused_row_of_somebody_erased_is_not_replayed(marketplace: Any) -> None:
    project = marketplace
    key = HashKey(SECRET.encode())
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
    "first table": (PersonalRows, "remove", 0),
    "third table": (PersonalRows, "remove", 2),
    "last table": (PersonalRows, "remove", 5),
    "dimension": (erasure_module, "rebuild", 0),
    "first rename": (Path, "replace", 0),
    "second rename": (Path, "replace", 1),
    "first vacuum": (erasure_module, "vacuum", 0),
    "last vacuum": (erasure_module, "vacuum", 4),
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
    marketplace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = marketplace
    before = others(project)
    for place, name, after in STEPS.values():
        with monkeypatch.context() as broken:
            broken.setattr(place, name, dying(getattr(place, name), after))
            try:
                erase(project)
            except KeyboardInterrupt:
                assert "begun" in states(project)
                deliver(project, 4, PAYMENT.format("z", "acc_max", 1, 4))
                with pytest.raises(RefusedError, match="was erased in part by run .*request 7"):
                    ingest(project)
    erase(project)
    assert traces(project) == []
    assert others(project) == before
    assert states(project) == {"done"}
    assert ingest(project).rows_in == 1


def test_scores_training_rows_and_tables_that_nothing_declares_any_more_go_too(marketplace: Any) -> None:
    project, lake = marketplace, marketplace.lake
    spark = lake.spark
    lake.ensure(scores("fraud"))
    score = "SELECT timestamp'2026-03-01' as_of, id row_id, 0.5D score, 'm' model, 1 model_version, 'd' definition_hash, "
    score += "1L features_version, 'c' code_version, 'r' run_key FROM VALUES ('a'), ('b') AS ids(id)"
    lake.append("scores_fraud", spark.sql(score))
    lake.ensure(table_spec("fraud"))
    trained = "SELECT 'r' run_key, timestamp'2026-03-01' as_of, sha2(id, 256) `row`, timestamp'2026-03-01' fraud_known_at, "
    trained += "sha2(who, 256) entity, 1D amount, map('k', 'v') slices, array(1F) features "
    trained += f"FROM VALUES ('a', '{WHO}'), ('b', 'acc_zoe2'), ('long gone', '{WHO}') AS ids(id, who)"
    lake.append("training_fraud", spark.sql(trained))
    old = TableSpec("features_old", "Old", described("id string: Id", "owner_id string: Owner"))
    lake.ensure(old)
    lake.append(old.name, spark.createDataFrame([("1", WHO), ("2", "acc_zoe2")], old.schema))
    spark.sql(
        f"ALTER TABLE {lake.place('scores_fraud')} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
    )
    erase(project)
    assert [row["row_id"] for row in lake.read("scores_fraud").collect()] == ["b"]
    assert lake.read("training_fraud").count() == 1
    assert [row["id"] for row in lake.read("features_old").collect()] == ["2"]
    parquet = (project.folder / "lake").glob("*/*.parquet")
    assert not [path for path in parquet if WHO + "'" in str(pq.read_table(path).to_pylist())]
    found = {row["place"]: row["rows"] for row in lake.read(ERASURES.name).collect()}
    assert (found["scores_fraud"], found["training_fraud"], found["features_old"]) == (1, 2, 1)


def test_raw_files_may_stay_and_history_may_be_kept(
    marketplace: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project = marketplace
    argv = ["--config", project.config, "--user", WHO, "--reason", "request 7", "--keep-raw"]
    run_job(EraseUser, argv)
    said = capsys.readouterr().err
    assert "raw files stay as they are" in said
    assert "old versions hold the rows for 168 hours more: " in said
    assert "raw/payments/2026-03-01.jsonl.gz" in traces(project)
    assert project.lake.read("events_payments").where(f"card_id = '{WHO}'").count() == 0
    assert ingest(project).rows_in == 0


def test_somebody_of_whom_there_is_nothing_is_kept_out_too(
    marketplace: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = erase(marketplace, user="acc_nobody")
    assert outcome.result == "0 rows of 0 places removed, 0 raw files and 0 pages rewritten"
    assert (
        "nothing is there of the user; later deliveries are kept out all the same" in capsys.readouterr().err
    )
    (row,) = marketplace.lake.read(ERASURES.name).collect()
    assert (row["place"], row["rows"], row["state"]) == ("nowhere", 0, "done")
    deliver(marketplace, 3, PAYMENT.format("n", "acc_nobody", 1, 3))
    assert ingest(marketplace).rows_out == 0


def test_what_cannot_be_done_is_said(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=f"{VARIABLE} is not set; a person who was erased is recognised by"):
        erase(project)
    monkeypatch.setenv(VARIABLE, SECRET)
    with pytest.raises(ConfigError, match="no contract of payments, disputes has a `subject`"):
        erase(project)
    argv = ["--config", project.config, "--user", WHO, "--reason", f"{WHO} asked"]
    with pytest.raises(TrustlakeError, match="--reason names the user"):
        run_job(EraseUser, argv)


def test_without_the_key_nothing_is_ingested_of_a_log_with_erased_persons(
    marketplace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(marketplace)
    deliver(marketplace, 3, PAYMENT.format("h", WHO, 1, 3))
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ConfigError, match="1 users were erased, and .* is not set"):
        ingest(marketplace)
