"""Raw files to events: what is refused is kept, what is delivered twice counts once, a killed run is finished."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from lake.errors import RefusedError, SchemaError
from lake.ingest import replay as replay_module
from lake.ingest.finished import BatchResult
from lake.ingest.schemas import BATCHES, FILES, QUARANTINE
from lake.tables import Lake
from tests.lake import raw_log
from tests.lake.raw_log import Log, lake_in, line

pytestmark = pytest.mark.minutes


@pytest.fixture(scope="module")
def shared(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_in(_session, tmp_path_factory.mktemp("ingest"))


def balanced(result: BatchResult) -> bool:
    return result.rows_in == result.rows_out + result.duplicates + sum(result.refused.values())


def test_json_rows_are_events_duplicates_or_quarantine_with_their_text(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "json_rows", refuse_above=0.6)
    good = [line("a", "1.50", note="-"), line("b", 2, note="well"), line("a", "9.99", day=2)]
    bad = [
        '{"id": "c", "ts": "2026-03-01", "amount"',
        '{"id": "d", "ts": "12:30", "amount": 1}',
        line("e", -1).strip(),
        (line("f").strip() + line("g")).strip(),
        '{"id": "h", "ts": "2026-03-01"}',
    ]
    log.deliver(1, "".join(good) + "\n\n" + "\n".join(bad[:4]))
    log.deliver(2, bad[4] + "\n" + line("z"))
    (result,) = log.ingest()
    reasons = ["unparsable_row", "event_at_not_a_time", "amount_below_0", "unparsable_row", "amount_missing"]
    assert result.refused == Counter(reasons)
    assert (result.rows_in, result.rows_out, result.duplicates) == (9, 3, 1)
    assert balanced(result)
    kept = {row["text"]: row for row in log.quarantine()}
    assert {text: row["reason"] for text, row in kept.items()} == dict(zip(bad, reasons, strict=True))
    for text, row in kept.items():
        assert row["source_file"] == f"day=2026-03-0{2 if text == bad[4] else 1}/part-0.jsonl"
        assert row["run_id"] == "run-1"
        assert row["contract_version"] == 1
    found = log.events()
    assert {name: (str(row["amount"]), row["note"]) for name, row in found.items()} == {
        "a": ("1.50", None), "b": ("2.00", "well"), "z": ("1.00", None),
    }  # fmt: skip
    assert found["z"]["source_file"] == "day=2026-03-02/part-0.jsonl"
    batches = {row["ingest_batch"] for row in [*found.values(), *kept.values()]}
    finished = shared.read(BATCHES.name).where(F.col("log") == "json_rows").collect()
    assert [row["ingest_batch"] for row in finished] == list(batches)
    assert (finished[0]["rows_in"], finished[0]["refused"]) == (9, 5)


def test_a_file_that_cannot_be_read_is_quarantined_and_the_others_go_on(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "csv_files", format="csv", key=["id"])
    log.deliver(1, 'id,ts,amount,note\na,2026-03-01,1.5,"said ""no"", left"\nb,2026-03-01,2,-\n', "1.csv")
    log.deliver(2, "note,extra.column,ts,amount,id\nx,,2026-03-02,3,c\n,1,2026-03-02,bad,d\n", "2.csv")
    log.deliver(3, "id,ts,amount,note\ne,2026-03-03,4\nf,2026-03-03,-4, y \n", "3.csv")
    whole = gzip.compress(b"id,ts,amount,note\n" + b"".join(b"g%d,2026-03-04,5,\n" % n for n in range(9999)))
    log.deliver(4, whole[: len(whole) // 2], "4.csv.gz")
    log.deliver(5, "not gzip at all", "5.csv.gz")
    (result,) = log.ingest()
    lost = ("day=2026-03-04/4.csv.gz", "day=2026-03-05/5.csv.gz")
    assert result.unreadable_files == lost
    assert (result.files, result.rows_in, result.rows_out) == (3, 6, 3)
    assert result.refused == {"amount_below_0": 1, "amount_not_decimal(18,2)": 1, "unparsable_row": 1}
    assert balanced(result)
    assert {name: row["note"] for name, row in log.events().items()} == {
        "a": 'said "no", left',
        "b": None,
        "c": "x",
    }
    assert [(row["reason"], row["text"], row["source_file"]) for row in log.quarantine()] == [
        ("unreadable_file", None, lost[0]),
        ("unreadable_file", None, lost[1]),
        ("amount_not_decimal(18,2)", ",1,2026-03-02,bad,d", "day=2026-03-02/2.csv"),
        ("unparsable_row", "e,2026-03-03,4", "day=2026-03-03/3.csv"),
        ("amount_below_0", "f,2026-03-03,-4, y ", "day=2026-03-03/3.csv"),
    ]


def test_a_csv_file_without_a_column_of_the_contract_is_named(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "csv_column", format="csv")
    log.deliver(1, "id,ts,amount,note\na,2026-03-01,1,\n", "1.csv")
    log.deliver(2, "id,ts,note\nb,2026-03-02,\n", "2.csv")
    with pytest.raises(SchemaError, match=r"2\.csv lacks amount; it has id, ts, note"):
        log.ingest()
    assert log.version() == 0


def test_a_csv_file_needs_one_of_the_names_that_a_column_had(shared: Lake, tmp_path: Path) -> None:
    columns = {"id": {"type": "string"}, "amount": {"type": "long", "from": ["amount", "paid"]}}
    log = Log(shared, tmp_path, "csv_names", format="csv", columns=columns)
    log.deliver(1, "id,ts,paid\na,2026-03-01,1\n", "1.csv")
    log.deliver(2, "id,ts,amount\nb,2026-03-02,2\n", "2.csv")
    log.deliver(3, "id,ts,amount,paid\nc,2026-03-03,,3\nd,2026-03-03,4,5\n", "3.csv")
    assert [(result.rows_in, result.rows_out) for result in log.ingest()] == [(4, 4)]
    assert {name: row["amount"] for name, row in log.events().items()} == {"a": 1, "b": 2, "c": 3, "d": 4}
    log.deliver(4, "id,ts,price\ne,2026-03-04,1\n", "4.csv")
    with pytest.raises(SchemaError, match=r"4\.csv lacks amount or paid; it has id, ts, price"):
        log.ingest()


def test_too_many_bad_rows_are_refused_and_nothing_is_written_until_the_delivery_is_mended(
    shared: Lake, tmp_path: Path
) -> None:
    log = Log(shared, tmp_path, "json_column")
    log.deliver(
        1, "".join(json.dumps({"id": str(n), "ts": "2026-03-01"}) + "\n" for n in range(3)) + line("x")
    )
    expected = r"json_column: 3 of 4 rows of .*part-0.jsonl break the contract \(3 amount_missing\), which tolerates 50"
    for _ in range(2):
        with pytest.raises(RefusedError, match=expected):
            log.ingest()
    assert (log.version(), log.quarantine()) == (0, [])
    log.deliver(1, "".join(line(str(n)) for n in range(4)))
    (result,) = log.ingest()
    assert (result.rows_in, result.rows_out) == (4, 4)
    assert log.ingest() == []


def test_a_day_ingested_twice_adds_nothing_and_new_files_only_what_is_new(
    shared: Lake, tmp_path: Path
) -> None:
    log = Log(shared, tmp_path, "twice", days_per_batch=1)
    first = line("a") + line("b")
    path = log.deliver(1, first)
    assert [(r.rows_in, r.rows_out) for r in log.ingest()] == [(2, 2)]
    version = log.version()
    path.touch()
    assert log.ingest() == []
    assert log.version() == version
    log.deliver(1, first, "sent-again.jsonl")
    (again,) = log.ingest()
    assert (again.rows_in, again.rows_out, again.duplicates) == (2, 0, 2)
    log.deliver(2, line("c") + line("b", 77) + line("c"))
    (later,) = log.ingest()
    assert (later.rows_in, later.rows_out, later.duplicates) == (3, 1, 2)
    assert {name: int(row["amount"]) for name, row in log.events().items()} == {"a": 1, "b": 1, "c": 1}
    log.deliver(1, line("a", 5))
    with pytest.raises(
        RefusedError, match=r"twice: day=2026-03-01/part-0.jsonl was ingested before with other content"
    ):
        log.ingest()
    assert int(log.events()["a"]["amount"]) == 1


def test_of_two_deliveries_in_one_batch_the_earlier_one_counts(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "earlier", known_at="seen")
    late = line("a", 2, seen="2026-03-01T12:00:00Z")
    early = line("a", 1, seen="2026-03-01T11:00:00Z")
    log.deliver(1, late + early)
    (result,) = log.ingest()
    assert (result.rows_out, result.duplicates) == (1, 1)
    assert int(log.events()["a"]["amount"]) == 1


def test_a_day_without_a_file_is_refused_where_one_is_promised(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "daily", daily=True)
    log.deliver(1, line("a"))
    log.deliver(3, line("b"))
    with pytest.raises(RefusedError) as caught:
        log.plan()
    text = str(caught.value)
    assert "daily has no file with anything in it for 2026-03-02, 2026-03-04, 2026-03-05 and 26 more" in text
    assert "deliver it, narrow --from and --to, or set files.daily to false" in text
    log.contract = log.contract.model_copy(
        update={"files": log.contract.files.model_copy(update={"daily": False})}
    )
    assert [len(batch.files) for batch in log.plan()] == [2]


def contents(lake: Lake, name: str) -> list[tuple[object, ...]]:
    return sorted(map(tuple, lake.read(name).collect()), key=repr)


def test_a_run_killed_between_its_commits_is_finished_as_if_nothing_had_happened(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(lake_in(spark, tmp_path / "lake"), tmp_path, "killed", days_per_batch=1)
    log.deliver(1, line("a") + line("bad", -1))
    log.deliver(2, line("b", 2) + line("a", 7))
    log.deliver(3, line("b", 8) + line("c", 3))
    undisturbed = Log(lake_in(spark, tmp_path / "other"), tmp_path, "killed", days_per_batch=1)
    expected = undisturbed.ingest()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(raw_log, "note_finished", die)
        with pytest.raises(KeyboardInterrupt):
            log.ingest()
    assert "a" in log.events()
    assert log.lake.read(BATCHES.name).count() == 0
    unfinished = log.plan()
    days = [batch.files[0].day for batch in unfinished]
    by_id = [batch.files[0].day for batch in sorted(unfinished, key=lambda batch: batch.batch_id)]
    assert days == sorted(days) != by_id
    assert log.ingest() == expected
    assert log.ingest() == []
    for table in ("events_killed", BATCHES.name, QUARANTINE.name, FILES.name):
        assert contents(log.lake, table) == contents(undisturbed.lake, table)


def test_a_half_ingested_file_that_changed_is_refused(
    shared: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(shared, tmp_path, "half")
    path = log.deliver(1, line("a"))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(raw_log, "note_finished", die)
        with pytest.raises(KeyboardInterrupt):
            log.ingest()
    path.unlink()
    with pytest.raises(
        RefusedError, match=r"half: day=2026-03-01/part-0.jsonl was ingested before with other content"
    ):
        log.ingest()
    log.deliver(1, line("a"))
    assert [(result.rows_in, result.rows_out) for result in log.ingest()] == [(1, 1)]


def test_after_the_contract_is_mended_quarantined_rows_become_events(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "replayed", refuse_above=1, days_per_batch=1)
    log.deliver(1, line("a") + line("b", "1,234.50") + line("c", -1) + '{"id": "d"')
    log.deliver(2, line("a", "2,000") + line("e", "5,000") + line("e", "6,000"))
    assert [sum(result.refused.values()) for result in log.ingest()] == [3, 3]
    first, second = (batch["ingest_batch"] for batch in batches_of(log))
    result = log.replay(amount={"type": "decimal(18,2)", "required": True, "min": 0, "thousands": ","})
    assert result is not None
    assert (result.rows_in, result.rows_out, result.duplicates) == (6, 2, 2)
    assert result.refused == {"amount_below_0": 1, "unparsable_row": 1}
    found = log.events()
    assert {name: str(row["amount"]) for name, row in found.items()} == {
        "a": "1.00",
        "b": "1234.50",
        "e": "5000.00",
    }
    assert found["b"]["source_file"] == "day=2026-03-01/part-0.jsonl"
    still = {row["text"]: row for row in log.quarantine()}
    assert sorted(row["reason"] for row in still.values()) == ["amount_below_0", "unparsable_row"]
    assert {row["ingest_batch"] for row in still.values()} == {first}
    assert {row["contract_version"] for row in still.values()} == {2}
    replayed = batches_of(log)[2]
    assert (replayed["kind"], replayed["first_day"], replayed["last_day"]) == (
        "replay",
        "2026-03-01",
        "2026-03-02",
    )
    assert replayed["reasons"] == result.refused
    assert replayed["ingest_batch"] == found["b"]["ingest_batch"] not in {first, second}
    again = log.replay()
    assert again is not None
    assert (again.rows_in, again.rows_out, again.duplicates) == (2, 0, 0)
    rows = batches_of(log)
    delivered = sum(row["rows_in"] for row in rows if row["kind"] == "delivery")
    assert delivered == sum(row["rows_out"] + row["duplicates"] for row in rows) + len(log.quarantine())
    assert Log(shared, tmp_path, "never").replay() is None


def batches_of(log: Log) -> list[Row]:
    return (
        log.lake.read(BATCHES.name)
        .where(F.col("log") == log.contract.log)
        .orderBy("kind", "first_day")
        .collect()
    )


def test_rows_of_csv_files_are_replayed_with_their_files_headers(shared: Lake, tmp_path: Path) -> None:
    log = Log(shared, tmp_path, "replayed_csv", format="csv", refuse_above=1)
    log.deliver(1, 'id,ts,amount,note\na,2026-03-01,"1,000","so, ""so"""\nb,2026-03-01,2\n', "1.csv")
    log.deliver(2, 'note,extra,ts,amount,id\n,1,2026-03-02,"2,000",c\n', "2.csv")
    cut = gzip.compress(b"id,ts,amount,note\n" + b"".join(b"g%d,2026-03-04,5,\n" % n for n in range(9999)))
    log.deliver(3, cut[: len(cut) // 2], "3.csv.gz")
    log.ingest()
    result = log.replay(amount={"type": "decimal(18,2)", "thousands": ","})
    assert result is not None
    assert (result.rows_in, result.rows_out, result.refused) == (3, 2, {"unparsable_row": 1})
    assert {name: (int(row["amount"]), row["note"]) for name, row in log.events().items()} == {
        "a": (1000, 'so, "so"'),
        "c": (2000, None),
    }
    assert [row["reason"] for row in log.quarantine()] == ["unreadable_file", "unparsable_row"]
    (log.folder / "day=2026-03-01/1.csv").unlink()
    with pytest.raises(RefusedError, match=r"replayed_csv: day=2026-03-01/1.csv is gone, and its rows"):
        log.replay()


# The other steps are in the long series.
REPLAYING = (
    pytest.param("_mark", marks=pytest.mark.slow),
    "append_events",
    pytest.param("note_finished", marks=pytest.mark.slow),
    pytest.param("_still_refused", marks=pytest.mark.slow),
)


def die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("place", REPLAYING)
def test_a_killed_replay_is_finished_as_if_nothing_had_happened(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    amount = {"type": "decimal(18,2)", "thousands": ","}
    logs = [Log(lake_in(spark, tmp_path / name), tmp_path, "killed") for name in ("lake", "other")]
    killed, undisturbed = logs
    killed.deliver(1, line("a", "1,000") + line("b", "x") + line("c"))
    for log in logs:
        log.contract = log.contract.model_copy(update={"refuse_above": 1.0})
        log.ingest()
    expected = undisturbed.replay(amount=amount)

    with monkeypatch.context() as broken:
        broken.setattr(replay_module, place, die)
        with pytest.raises(KeyboardInterrupt):
            killed.replay(amount=amount)
    assert len(killed.quarantine()) == 2
    assert killed.replay() == expected
    for table in ("events_killed", BATCHES.name, QUARANTINE.name, FILES.name):
        assert contents(killed.lake, table) == contents(undisturbed.lake, table)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("_mark", [(6, 2, 3)]),
        pytest.param("append_events", [(6, 2, 3)], marks=pytest.mark.slow),
        ("note_finished", [(3, 1, 2), (3, 2, 0)]),
        pytest.param("_still_refused", [(3, 2, 0)], marks=pytest.mark.slow),
    ],
)
def test_after_a_killed_replay_another_contract_and_more_rows_count_every_row_once(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    expected: list[tuple[int, int, int]],
) -> None:
    lake = lake_in(spark, tmp_path / "lake")
    log = Log(lake, tmp_path, "killed", refuse_above=1, days_per_batch=1)
    sent = (
        line("a", "1,000")
        + line("b", "x")
        + line("c")
        + line("d", -1)
        + line("a", "1,000")
        + line("c", "2,000")
    )
    log.deliver(1, sent)
    log.ingest()
    with monkeypatch.context() as broken:
        broken.setattr(replay_module, place, die)
        with pytest.raises(KeyboardInterrupt):
            log.replay(amount={"type": "decimal(18,2)", "required": True, "min": 0, "thousands": ","})
    log.deliver(2, line("e", "3,000", day=2) + line("a", 7, day=2) + line("f", -2, day=2))
    log.ingest()
    log.deliver(3, line("b", 4, day=3))
    log.ingest()
    amount = {"type": "decimal(18,2)", "required": True, "thousands": ","}
    log.contract = log.contract.model_copy(update={"version": 3})
    results = log.replays(amount=amount)
    brought = [(result.rows_in, result.rows_out, result.duplicates) for result in results]
    assert brought == expected
    noted = batches_of(log)
    came = sum(row["rows_in"] for row in noted if row["kind"] == "delivery")
    held = log.quarantine()
    assert came == sum(row["rows_out"] + row["duplicates"] for row in noted) + len(held) == 10
    assert len(log.events()) == sum(row["rows_out"] for row in noted)
    assert [(row["reason"], row["replay"]) for row in held] == [("amount_not_decimal(18,2)", None)]
