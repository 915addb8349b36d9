"""Personal columns: hashes in the events, hashes in the quarantine, and the same ones after a replay."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lake.errors import ConfigError
from lake.hash_key import VARIABLE, HashKey
from lake.ingest.batch import ingest_batch
from lake.ingest.event_table import PROPERTY, prepare_events
from tests.lake.raw_log import Log, lake_in, line

TEXT = "a key that nobody guesses"
KEY = HashKey(TEXT.encode())
COLUMNS = {
    "id": {"type": "string"},
    "amount": {"type": "decimal(18,2)", "required": True, "min": 0},
    "ip": {"type": "string", "personal": True, "unknown": ["-"], "pattern": r"(\d+\.){3}\d+"},
}


def test_a_hash_is_the_hmac_of_the_value_and_gives_no_key_away() -> None:
    key = HashKey.of_environment({VARIABLE: TEXT})
    assert key is not None
    assert key.hashed("10.1.2.3") == "h1:" + hmac.new(TEXT.encode(), b"10.1.2.3", hashlib.sha256).hexdigest()
    assert TEXT not in repr(key)
    assert HashKey.of_environment({}) is None
    with pytest.raises(ConfigError, match="has 5 characters; give it 16"):
        HashKey.of_environment({VARIABLE: "short"})


@pytest.mark.parametrize("file_format", ["json", "csv"])
def test_no_table_holds_a_personal_value_and_a_replay_finds_the_same_hash(
    spark: SparkSession, tmp_path: Path, file_format: str
) -> None:
    lake = lake_in(spark, tmp_path / "lake", hash_key=KEY)
    log = Log(lake, tmp_path, "payments", columns=COLUMNS, format=file_format, refuse_above=0.9)
    rows = [("good", "1", "10.1.2.3"), ("none", "1", ""), ("sentinel", "1", "-"), ("bad", "-1", "10.1.2.3")]
    rows += [("unknown", "-1", "-"), ("short", "1", "10.1.2")]
    if file_format == "json":
        told = [line(event, amount, 1, ip=ip or None) for event, amount, ip in rows]
        log.deliver(1, "".join(told) + '{"id": "cut", "ip": "10.1.2.3')
    else:
        told = [f"{event},2026-03-01T10:00:00Z,{amount},{ip}\n" for event, amount, ip in rows]
        log.deliver(1, "id,ts,amount,ip\n" + "".join(told) + "cut,2026-03-01T10:00:00Z,1,10.1.2.3,more\n")
    (result,) = log.ingest()
    assert result.refused == {"amount_below_0": 2, "ip_unlike_pattern": 1, "unparsable_row": 1}

    hashed = KEY.hashed("10.1.2.3")
    assert {event: row["ip"] for event, row in log.events().items()} == {
        "good": hashed,
        "none": None,
        "sentinel": None,
    }
    texts = [row["text"] for row in log.quarantine()]
    assert len(texts) == 4
    assert not any("10.1.2" in text for text in texts)
    assert any("bad" in text and hashed in text for text in texts)

    again = log.replay(amount={"type": "decimal(18,2)", "required": True})
    assert again is not None
    assert again.rows_out == 2
    assert log.events()["bad"]["ip"] == hashed
    assert log.events()["unknown"]["ip"] is None
    left = [row["text"] for row in log.quarantine()]
    assert left == [text for text in texts if "bad" not in text and "unknown" not in text]

    again = log.replay(ip={"type": "string", "personal": True})
    assert again is not None
    assert again.rows_out == 1
    assert log.events()["short"]["ip"] == KEY.hashed("10.1.2")


@pytest.mark.parametrize("file_format", ["json", "csv"])
def test_a_personal_column_may_be_empty_in_every_row(
    spark: SparkSession, tmp_path: Path, file_format: str
) -> None:
    lake = lake_in(spark, tmp_path / "lake", hash_key=KEY)
    log = Log(lake, tmp_path, "payments", columns=COLUMNS, format=file_format)
    nobody = line("a", 1, ip=None)
    log.deliver(1, nobody if file_format == "json" else "id,ts,amount,ip\na,2026-03-01,1,\n")
    (result,) = log.ingest()
    assert (result.rows_out, result.refused) == (1, {})
    assert log.events()["a"]["ip"] is None


def test_a_delivered_value_that_looks_like_a_hash_is_hashed(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(spark, tmp_path / "lake", hash_key=KEY)
    log = Log(lake, tmp_path, "payments", columns=COLUMNS | {"ip": {"type": "string", "personal": True}})
    forged = KEY.hashed("somebody else")
    log.deliver(1, line("forged", ip=forged))
    log.ingest()
    assert log.events()["forged"]["ip"] == KEY.hashed(forged)


def test_without_the_key_nothing_is_read(spark: SparkSession, tmp_path: Path) -> None:
    log = Log(lake_in(spark, tmp_path / "lake"), tmp_path, "payments", columns=COLUMNS)
    log.deliver(1, line("a", ip="10.1.2.3"))
    (planned,) = log.plan()
    with pytest.raises(ConfigError, match=f"ip is personal, and {VARIABLE} is not set; set it"):
        prepare_events(log.lake, log.contract)
    with pytest.raises(ConfigError, match=f"{VARIABLE} is not set"):
        ingest_batch(log.lake, str(log.folder), log.contract, planned)


def test_a_new_table_says_from_its_first_commit_on_what_it_holds_as_hashes(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = lake_in(spark, tmp_path / "lake", hash_key=KEY)
    contract = Log(lake, tmp_path, "payments", columns=COLUMNS).contract.model_copy(update={"log": "new"})
    for _ in range(2):
        prepare_events(lake, contract)
        assert lake.version(contract.table) == 0
        assert lake.properties(contract.table)[PROPERTY] == f"ip by key {KEY.fingerprint}"


def test_a_table_keeps_its_key_and_its_personal_columns(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(spark, tmp_path / "lake", hash_key=KEY)
    log = Log(lake, tmp_path, "payments", columns=COLUMNS)
    prepare_events(lake, log.contract)
    log.deliver(1, line("a", ip="10.1.2.3"))
    log.ingest()
    prepare_events(lake, log.contract)

    other = lake_in(spark, tmp_path / "lake", hash_key=HashKey(b"another key of ours"))
    with pytest.raises(
        ConfigError, match=f"ip by key {KEY.fingerprint}; contract and {VARIABLE} now say: ip by key"
    ):
        prepare_events(other, log.contract)
    plain = Log(lake, tmp_path, "payments", columns=COLUMNS | {"ip": {"type": "string"}})
    with pytest.raises(ConfigError, match="now say: nothing; give back the contract"):
        prepare_events(lake, plain.contract)


def test_rows_that_are_there_in_plain_are_not_mixed_with_hashes(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(spark, tmp_path / "lake", hash_key=KEY)
    plain = Log(lake, tmp_path, "payments", columns=COLUMNS | {"ip": {"type": "string"}})
    plain.deliver(1, line("a", ip="10.1.2.3"))
    plain.ingest()
    with pytest.raises(ConfigError, match="hold as hashes: nothing; contract"):
        prepare_events(lake, Log(lake, tmp_path, "payments", columns=COLUMNS).contract)
