"""Whose a line is, raw files without somebody's lines, and what a contract may say of persons."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from pyspark.sql import SparkSession

from lake.contracts import Contract
from lake.erase.erasures import ERASURES
from lake.erase.lines import Lines
from lake.erase.person import Person
from lake.erase.quarantine import quarantined_rows
from lake.erase.raw_files import files_naming, rewrite
from lake.errors import TrustlakeError
from lake.hash_key import HashKey
from lake.ingest.schemas import FILES, QUARANTINE
from lake.tables import Lake
from tests.lake.raw_log import Log, lake_in

KEY = HashKey(b"0123456789abcdef")
ZOE = Person.of("zoe", KEY)
COLUMNS = {
    "id": {"type": "string"},
    "who": {"type": "string", "from": ["$.user.who", "who_id"]},
    "amount": {"type": "long"},
}


def lines(file_format: str, person: Person = ZOE) -> Lines:
    return Lines(file_format, frozenset({"who", "who_id"}), person)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id": "1", "user": {"who": "zoe"}}', True),
        ('{"id": "zoe", "user": {"who": "max"}}', False),
        ('{"id": "1", "who_id": "zo\\u0065", "note": "max"}', True),
        ('{"id": "1", "note": "zoe was here", "who_id": "max"}', False),
        ('{"id": "1", "somebody": "zoe"}', True),
        ('{"id": "1", "somebody": "zoe was here"}', False),
        ('{"id": "1", "who_id": "zoe", "am', True),
        ('{"id": "1", "who_id": "zoe2", "am', False),
        ('["zoe"]', True),
        (f'{{"who_id": "{ZOE.hashed}"}}', True),
        (f'{{"who_id": "unfit-{ZOE.hashed}"}}', True),
        (f'{{"who_id": "{ZOE.hashed}", "am', True),
    ],
)
def test_a_json_line_is_a_persons_by_its_subject_or_where_it_is_broken_by_a_word(
    *, line: str, expected: bool
) -> None:
    assert lines("json").name(line) is expected


def test_an_id_that_is_a_number_counts_in_the_subject_alone() -> None:
    seven = lines("json", Person.of("7", KEY))
    assert seven.name('{"who_id": 7, "amount": 1}')
    assert not seven.name('{"who_id": 1, "amount": 7}')


@pytest.mark.parametrize(
    ("line", "header", "expected"),
    [
        ('1,"zoe",5', ["id", "who_id", "amount"], True),
        ("zoe,max,5", ["id", "who_id", "amount"], False),
        ("1,zoe", ["id", "who_id", "amount"], True),
        ("1,,zoe", ["id", "who_id", "amount"], True),
        ("1,zoe,5", [], True),
        ("1,zoe was here,5", [], False),
    ],
)
def test_a_csv_line_is_read_by_its_header(*, line: str, header: list[str], expected: bool) -> None:
    assert lines("csv").name(line, header) is expected


def test_an_id_with_quotes_is_found_where_the_format_writes_them_its_own_way() -> None:
    odd = Person.of('z"oe', KEY)
    assert lines("csv", odd).name('1,"z""oe",5', ["id", "who_id", "amount"])
    assert lines("json", odd).name('{"id": "1", "who_id": "z\\"oe"}')


def test_a_person_is_a_hash_in_every_text() -> None:
    assert str(ZOE) == ZOE.hashed
    assert "zoe" not in repr(ZOE)
    assert ZOE.is_in("3:zoe3:max 2026-03-01")
    assert not ZOE.is_in("zoes")


def test_a_subject_names_columns_of_text(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(ValidationError, match="subject names amount, nobody; name columns of type `string`"):
        Log(lake, tmp_path, "wrong", columns=COLUMNS, subject=["who", "amount", "nobody"])
    contract = Log(lake, tmp_path, "right", columns=COLUMNS, subject=["who"]).contract
    assert isinstance(contract, Contract)
    assert Lines.of(contract, ZOE).fields == {"who", "who_id"}


def test_files_are_rewritten_and_the_ledger_follows(lake: Lake, tmp_path: Path) -> None:
    made = lake_in(lake.spark, tmp_path / "lake")
    log = Log(
        made,
        tmp_path,
        "rewritten",
        format="csv",
        columns=COLUMNS | {"who": {"type": "string"}},
        subject=["who"],
    )
    head, mine, theirs = "id,ts,who,amount\n", '1,2026-03-01,"zoe",1\r\n', "2,2026-03-01,max,1\n"
    plain = log.deliver(1, head + mine + theirs + "3,zoe", "1.csv")
    packed = log.deliver(2, gzip.compress((head + mine).encode()), "2.csv.gz")
    log.deliver(3, "not gzip", "3.csv.gz")
    other = log.deliver(4, head + theirs, "4.csv")
    log.ingest()
    before, touched_at = other.stat(), plain.stat().st_mtime_ns
    naming = files_naming(made, str(log.folder), log.contract, ZOE)
    assert naming.lines == {"day=2026-03-01/1.csv": 2, "day=2026-03-02/2.csv.gz": 1}
    assert naming.unreadable == ("day=2026-03-03/3.csv.gz",)
    rewrite(made, str(log.folder), naming, ZOE)
    assert plain.read_text() == head + theirs
    assert gzip.decompress(packed.read_bytes()).decode() == head
    assert (other.stat(), plain.stat().st_mtime_ns) == (before, touched_at)
    assert log.plan() == []
    sizes = {row["path"]: row["size"] for row in made.read(FILES.name).collect()}
    assert sizes["day=2026-03-01/1.csv"] == plain.stat().st_size
    assert not list(log.folder.rglob(".*"))
    plain.write_text(head)
    with pytest.raises(Exception, match=r"1\.csv was ingested before with other content"):
        log.plan()


def test_a_file_without_header_may_begin_with_a_persons_row(lake: Lake, tmp_path: Path) -> None:
    made = lake_in(lake.spark, tmp_path / "lake")
    files = {"pattern": "day={day}/*", "format": "csv", "header": ["id", "ts", "who", "amount"]}
    columns = COLUMNS | {"who": {"type": "string"}}
    log = Log(made, tmp_path, "headerless", files=files, columns=columns, subject=["who"])
    mine, theirs = "1,2026-03-01,zoe,1\n", "zoe,2026-03-01,max,1\n"
    plain = log.deliver(1, mine + theirs, "1.csv")
    log.ingest()
    naming = files_naming(made, str(log.folder), log.contract, ZOE)
    assert naming.lines == {"day=2026-03-01/1.csv": 1}
    rewrite(made, str(log.folder), naming, ZOE)
    assert plain.read_text() == theirs


def test_files_in_a_store_are_left_to_their_producer(lake: Lake, tmp_path: Path) -> None:
    log = Log(lake, tmp_path, "stored", columns=COLUMNS, subject=["who"])
    with pytest.raises(
        TrustlakeError, match=r"raw\.root is s3://logs, where no process of ours rewrites files; name"
    ):
        files_naming(lake, "s3://logs", log.contract, ZOE)


def test_refused_rows_are_a_persons_by_the_contract_of_their_log_or_without_one_by_a_word(
    spark: SparkSession, tmp_path: Path
) -> None:
    made = lake_in(spark, tmp_path / "lake")
    told = Log(made, tmp_path, "told", columns=COLUMNS, subject=["who"])
    nobodys = Log(made, tmp_path, "nobodys", columns=COLUMNS)
    made.ensure(QUARANTINE)
    rows = [
        ("told", '{"id": "zoe", "who_id": "max"}'),
        ("told", '{"id": "1", "who_id": "zoe"}'),
        ("nobodys", '{"id": "2", "who_id": "zoe"}'),
        ("gone", '{"id": "zoe", "who_id": "max"}'),
        ("gone", '{"id": "3", "who_id": "zoe2"}'),
        ("told", None),
    ]
    refused = [(log, "a_rule", text, "1.jsonl", "batch", 1, "run", None) for log, text in rows]
    made.append(QUARANTINE.name, spark.createDataFrame(refused, QUARANTINE.schema))
    found = quarantined_rows(made, {"told": told.contract, "nobodys": nobodys.contract}, ZOE)
    found.remove(made)
    left = [(row["log"], row["text"]) for row in made.read(QUARANTINE.name).collect()]
    assert sorted(left, key=str) == sorted([rows[0], rows[2], rows[4], rows[5]], key=str)


@pytest.mark.parametrize("file_format", ["json", "csv"])
def test_a_replay_knows_an_erased_person_by_the_hashes_of_what_was_refused(
    spark: SparkSession, tmp_path: Path, file_format: str
) -> None:
    lake = lake_in(spark, tmp_path / "lake", hash_key=KEY)
    who = {"type": "string", "personal": True, "pattern": "[a-z]+"}
    columns = {"id": {"type": "string"}, "who": who, "amount": {"type": "long", "min": 0}}
    log = Log(lake, tmp_path, "held", columns=columns, subject=["who"], format=file_format, refuse_above=1)
    rows = [("whole", "zoe"), ("unfit", "zoe 2"), ("other", "max")]
    if file_format == "json":
        told = [
            json.dumps({"id": name, "ts": "2026-03-01", "who": person, "amount": -1}) for name, person in rows
        ]
        cut = [text.replace('"amount": -1}', '"am') for text in told]
        log.deliver(1, "\n".join([*told, *cut]))
    else:
        log.deliver(
            1, "id,ts,who,amount\n" + "".join(f"{name},2026-03-01,{person},-1\n" for name, person in rows)
        )
    log.ingest()
    held = log.quarantine()
    lake.ensure(ERASURES)
    gone = [
        (KEY.hashed(person), "nowhere", "done", "by hand", 0, 0, None, "run") for person in ("zoe", "zoe 2")
    ]
    lake.append(ERASURES.name, lake.spark.createDataFrame(gone, ERASURES.schema))
    result = log.replay()
    assert result is not None
    times = len(held) // len(rows)
    assert (result.rows_in, result.refused["erased"]) == (3 * times, 2 * times)
    assert [row["text"] for row in log.quarantine()] == [
        row["text"] for row in held if KEY.hashed("max") in row["text"]
    ]
