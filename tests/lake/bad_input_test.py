"""What deliveries are at their worst: each ends in quarantine or a clear error, and no row is lost."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark import InheritableThread
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lake.errors import RefusedError
from lake.ingest.read import unreadable
from lake.ingest.schemas import QUARANTINE
from tests.lake.raw_log import Log, lake_in, line

ALLOW_ALL = {"refuse_above": 1.0}


@pytest.fixture(scope="module")
def log(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Log:
    """One log for tests that each deliver a day of their own."""
    folder = tmp_path_factory.mktemp("bad_input")
    made = Log(lake_in(_session, folder / "lake"), folder, "worst", days_per_batch=1, **ALLOW_ALL)
    made.deliver(1, line("good"))
    made.ingest()
    return made


def ingested(log: Log, day: int) -> tuple[set[str], list[tuple[str, str | None]]]:
    """The ids of the events that a day brought, and reason and text of what it had refused."""
    (result,) = log.ingest()
    assert result.rows_in == result.rows_out + result.duplicates + sum(result.refused.values())
    name = f"day=2026-03-{day:02}"
    brought = {event for event, row in log.events().items() if row["source_file"].startswith(name)}
    refused = [
        (row["reason"], row["text"]) for row in log.quarantine() if row["source_file"].startswith(name)
    ]
    assert len(brought) == result.rows_out
    return brought, refused


def test_a_file_cut_off_in_its_last_block_is_kept_whole_in_quarantine(log: Log) -> None:
    whole = gzip.compress("".join(line(f"t{n}") for n in range(999)).encode())
    log.deliver(2, whole[:-30], "cut.jsonl.gz")
    log.deliver(2, line("beside"), "whole.jsonl")
    assert ingested(log, 2) == ({"beside"}, [("unreadable_file", None)])


def test_a_file_whose_reading_was_cancelled_is_not_taken_for_one_that_cannot_be_read(log: Log) -> None:
    whole = gzip.compress("".join(line(f"c{n}") for n in range(200_000)).encode())
    path = log.deliver(28, whole, "whole.jsonl.gz")
    name, spark = str(path.relative_to(log.folder)), log.lake.spark
    has_ended = threading.Event()

    def cancel() -> None:
        while not has_ended.is_set():
            spark.sparkContext.cancelAllJobs()

    canceller = InheritableThread(cancel)
    canceller.start()
    try:
        with pytest.raises(Py4JJavaError, match="cancelled"):
            unreadable(spark, str(log.folder), [name], log.contract)
    finally:
        has_ended.set()
        canceller.join()
    assert unreadable(spark, str(log.folder), [name], log.contract) == []
    path.unlink()


def test_bytes_that_are_no_text_are_refused_row_by_row(log: Log) -> None:
    garbage = bytes(range(256)) * 3
    log.deliver(3, garbage + b"\n" + line("after").encode() + b'{"id": "x", "note": "\xff\xfe", "ts": "\n')
    brought, refused = ingested(log, 3)
    assert brought == {"after"}
    assert {reason for reason, _ in refused} == {"unparsable_row"}


def test_bytes_that_are_not_utf8_inside_a_text_cost_no_row(log: Log) -> None:
    def with_text(event: str, note: bytes, amount: int = 1) -> bytes:
        return line(event, amount, note="NOTE").encode().replace(b"NOTE", note)

    cut_off = with_text("cut", b"9 \xe2\x82")
    refused_too = with_text("bad", b"caf\xe9", -1)
    log.deliver(
        20, with_text("old", b"caf\xe9 & co") + cut_off + refused_too + with_text("zero", "a\u200bb".encode())
    )
    brought, refused = ingested(log, 20)
    assert brought == {"old", "cut", "zero"}
    notes = {name: log.events()[name]["note"] for name in brought}
    assert notes == {"old": "caf\ufffd & co", "cut": "9 \ufffd", "zero": "a\u200bb"}
    assert refused == [("amount_below_0", refused_too.decode(errors="replace").strip())]
    as_it_came = log.lake.read(QUARANTINE.name).select(F.hex("text").alias("bytes")).collect()
    assert refused_too.strip().hex().upper() in {row["bytes"] for row in as_it_came}


def test_a_line_of_fifty_megabytes_is_a_row_like_any_other(log: Log) -> None:
    long = json.dumps({"id": "long", "ts": "2026-03-04", "amount": 1, "note": "x" * 50_000_000})
    log.deliver(4, line("before") + long + "\n" + line("behind"))
    brought, refused = ingested(log, 4)
    assert brought | {"long"} == {"before", "behind", "long"}
    assert ("long" in brought) != (refused != [])
    assert all(reason == "unparsable_row" and text == long for reason, text in refused)


@pytest.mark.parametrize(("day", "indent"), [(5, None), (6, 1)])
def test_an_array_instead_of_lines_is_refused(log: Log, day: int, indent: int | None) -> None:
    text = json.dumps([json.loads(line(f"i{n}")) for n in range(3)], indent=indent)
    log.deliver(day, text)
    brought, refused = ingested(log, day)
    assert brought == set()
    assert {reason for reason, _ in refused} == {"unparsable_row"}
    assert sorted(str(text) for _, text in refused) == sorted(text.splitlines())


def test_files_without_anything_in_them_bring_nothing(log: Log) -> None:
    log.deliver(7, b"", "empty.jsonl")
    log.deliver(7, gzip.compress(b""), "empty.jsonl.gz")
    log.deliver(7, b"\n \n", "blank.jsonl")
    assert ingested(log, 7) == (set(), [])
    log.deliver(8, b"", "empty.jsonl.gz")
    assert log.ingest() == []


def test_a_folder_that_vanishes_is_told_and_read_when_it_is_back(log: Log) -> None:
    path = log.deliver(9, line("vanished"))
    planned = log.plan()
    shutil.move(path.parent, path.parents[1] / "elsewhere")
    with pytest.raises(
        RefusedError, match=r"worst: day=2026-03-09/part-0.jsonl was listed under .* and is gone now"
    ):
        log.ingest_planned(planned)
    shutil.move(path.parents[1] / "elsewhere", path.parent)
    assert ingested(log, 9) == ({"vanished"}, [])


def test_a_clock_that_is_a_year_off_is_refused_both_ways(log: Log) -> None:
    rows = {"year ahead": "2027-03-10", "year behind": "2025-03-10", "on time": "2026-03-10"}
    seen = Log(log.lake, log.folder, "clock", known_at="seen", late_by="90d", **ALLOW_ALL)
    text = [json.dumps({"id": i, "ts": ts, "seen": "2026-03-10", "amount": 1}) for i, ts in rows.items()]
    seen.deliver(10, "\n".join(text))
    brought, refused = ingested(seen, 10)
    assert brought == {"on time"}
    assert sorted(refused) == [("event_after_arrival", text[0]), ("event_too_long_before_arrival", text[1])]


def test_letters_that_only_look_alike_and_those_nobody_sees_stay_as_they_are(log: Log) -> None:
    homoglyph, hidden = "pаypal", "tele\u200bgram\u202e"  # noqa: RUF001 - the letter is the point
    log.deliver(11, line("pa", note=homoglyph) + line("p\u0430", note=hidden))
    assert ingested(log, 11) == ({"pa", "p\u0430"}, [])
    notes = {event: row["note"] for event, row in log.events().items()}
    assert (notes["pa"], notes["p\u0430"]) == (homoglyph, hidden)


@pytest.mark.parametrize(("day", "depth"), [(12, 400), (13, 1_000), (14, 100_000)])
def test_objects_in_objects_end_somewhere(log: Log, day: int, depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    deep = line(f"deep {depth}", note="n")[:-2] + f', "more": {nested}}}'
    log.deliver(day, deep + "\n" + line(f"after {depth}"))
    brought, refused = ingested(log, day)
    assert f"after {depth}" in brought
    assert (f"deep {depth}" in brought) != (("unparsable_row", deep) in refused)


def test_keys_that_differ_in_case_are_different_keys(log: Log) -> None:
    both = '{"ID": "upper", "id": "lower", "ts": "2026-03-15", "amount": 1}'
    upper = '{"ID": "upper", "ts": "2026-03-15", "amount": 1}'
    log.deliver(15, f"{both}\n{upper}\n")
    assert ingested(log, 15) == ({"lower"}, [("id_missing", upper)])


def test_a_disk_that_is_full_fails_and_the_same_command_ends_it(spark: SparkSession, tmp_path: Path) -> None:
    place = tmp_path / "small disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        log = Log(lake_in(spark, place / "lake"), tmp_path, "full", **ALLOW_ALL)
        log.deliver(1, "".join(line(os.urandom(600).hex(), note=os.urandom(300).hex()) for _ in range(1500)))
        with pytest.raises(Exception, match=r"No space left on device"):
            log.ingest()
        assert log.events() == {}
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
        (result,) = log.ingest()
        assert (result.rows_in, result.rows_out) == (1500, 1500)
        assert log.ingest() == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
