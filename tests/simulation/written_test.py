"""What ``write_logs`` leaves on disk: counts, days, bytes, and nothing that tells the truth."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from pyspark.sql import SparkSession

from simulation.marketplace import LOGS, MARKER, LogWritten, write_logs
from simulation.settings import SimulationSettings

TINY = SimulationSettings.tiny().model_copy(update={"partitions": 1})
TEXTS = ("description", "cover_letter", "body")
HOUR = timedelta(hours=1)
CONTRACTS = Path(__file__).parents[2] / "conf" / "contracts"
SKIPPED = {"event_type", "event_ts", "ingest_ts", "schema_version", "producer", "raw_offset"}


@dataclass(frozen=True)
class Run:
    """One tiny marketplace on disk."""

    root: Path
    written: dict[str, LogWritten]


@pytest.fixture(scope="module")
def run(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("tiny") / "raw"
    return Run(root, {log.log: log for log in write_logs(_session, TINY, str(root))})


def raw_lines(run: Run, log: str) -> list[str]:
    files = sorted((run.root / log).glob("ingest_date=*/*.jsonl.gz"))
    return [line for file in files for line in gzip.decompress(file.read_bytes()).decode().splitlines()]


def sent(lines: list[str]) -> list[dict[str, Any]]:
    """The lines that were not cut off, as they were worded."""
    found = []
    for line in lines:
        with suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def whole(lines: list[str]) -> list[dict[str, Any]]:
    """The same, in the words of schema version 2."""
    return [understood(event) for event in sent(lines)]


def understood(event: dict[str, Any]) -> dict[str, Any]:
    if "device" in event:
        device = event.pop("device")
        event["device_id"] = device["id"] if isinstance(device, dict) else device
    at = event["event_ts"]
    if isinstance(at, int):
        event["event_ts"] = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).isoformat()
    elif at.startswith("20") and len(at) == len("2026-01-01T00:00:00.000"):
        event["event_ts"] = at + "Z"
    if event.get("kind") == "login_success":
        event["kind"] = "login_ok"
    return event


def contents(root: Path) -> dict[str, bytes]:
    return {str(f.relative_to(root)): f.read_bytes() for f in sorted(root.rglob("*")) if f.is_file()}


def parsed(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text.startswith("20") else None


@pytest.mark.parametrize("log", LOGS)
def test_planted_counts_are_the_counts_found(run: Run, log: str) -> None:
    lines = raw_lines(run, log)
    events = whole(lines)
    found = Counter({"truncated_line": len(lines) - len(events)})
    first: dict[str, dict[str, str]] = {}
    for event in sorted(events, key=lambda e: (e["ingest_ts"], e["raw_offset"])):
        found["bad_currency"] += event.get("currency", "USD") not in {"USD", "EUR", "GBP", "INR"}
        found["money_as_text"] += "," in event.get("amount", "")
        found["bad_timestamp"] += event["event_ts"] in {"", "not-a-time"}
        found["missing_key"] += event["event_id"] is None
        device = event.get("device_id", event.get("signup_device_id"))
        found["sentinel_device"] += device in {"unknown", "", "00000000"}
        found["other_schema"] += event["schema_version"] != 2
        found["byte_order_mark"] += any(event.get(text, "").startswith("\ufeff") for text in TEXTS)
        if event["event_id"] is not None:
            found["exact_duplicate"] += event["event_id"] in first
            first.setdefault(event["event_id"], event)
    for event in first.values():
        happened, arrived = parsed(event["event_ts"]), parsed(event["ingest_ts"])
        if happened is None or arrived is None or happened.date() < TINY.start_on:
            continue
        behind = event.get("op") == "I" and timedelta(minutes=12) < arrived - happened < HOUR
        found["out_of_order_change"] += behind
        found["very_late_arrival"] += arrived - happened > 24 * HOUR
        found["late_arrival"] += HOUR < arrived - happened < 24 * HOUR
        found["clock_skew"] += happened - arrived > timedelta(minutes=5)
    found["ledger_imbalance"] = unequal_sides(first)
    planted = run.written[log].planted
    assert {kind: found[kind] for kind in planted} == planted
    assert run.written[log].rows == len(lines)


def unequal_sides(entries: dict[str, dict[str, Any]]) -> int:
    """How many transactions have a debit that is not their credit."""
    balance: Counter[str] = Counter()
    for entry in entries.values():
        if "side" in entry:
            balance[entry["txn_id"]] += entry["amount_minor"] * (1 if entry["side"] == "debit" else -1)
    return sum(value != 0 for value in balance.values())


def test_every_kind_of_dirt_occurs_in_a_tiny_marketplace(run: Run) -> None:
    total: Counter[str] = Counter()
    for log in run.written.values():
        total.update(log.planted)
    assert set(total) == {*type(TINY.dirt).model_fields, "other_schema"}
    assert min(total.values()) > 0


def test_a_second_delivery_repeats_every_field_but_its_arrival(run: Run) -> None:
    by_id: dict[str, dict[str, Any]] = {}
    pairs = 0
    for event in whole(raw_lines(run, "payments")):
        other = by_id.setdefault(event["event_id"], event)
        if other is not event and event["event_id"] is not None:
            pairs += 1
            differs = {name for name in event if event[name] != other[name]}
            assert differs == {"ingest_ts", "raw_offset"}
    assert pairs > 0


@pytest.mark.parametrize("log", LOGS)
def test_lines_lie_in_the_file_of_their_arrival_in_order_of_arrival(run: Run, log: str) -> None:
    days = sorted((run.root / log).glob("ingest_date=*"))
    for day in days:
        (file,) = day.iterdir()
        arrivals = [e["ingest_ts"] for e in whole(gzip.decompress(file.read_bytes()).decode().splitlines())]
        assert arrivals == sorted(arrivals)
        assert {arrival[:10] for arrival in arrivals} <= {day.name.removeprefix("ingest_date=")}
    last = TINY.day(TINY.days - 1).isoformat()
    assert days[-1].name <= f"ingest_date={last}"


@pytest.mark.parametrize("log", LOGS)
def test_a_contract_names_fields_that_the_log_has(run: Run, log: str) -> None:
    contract = yaml.safe_load((CONTRACTS / f"{log}.yml").read_text())
    fields = {name for event in sent(raw_lines(run, log)) for name in event}
    named = {place for name, column in contract["columns"].items() for place in places(name, column)}
    assert named == fields - SKIPPED
    assert contract["log"] == log


def places(name: str, column: dict[str, Any]) -> set[str]:
    """The raw fields that a column is read from."""
    named = column.get("from", name)
    return {
        place.removeprefix("$.").partition(".")[0] for place in ([named] if isinstance(named, str) else named)
    }


def test_apps_word_the_same_events_in_three_ways(run: Run) -> None:
    worded: dict[tuple[int, str], set[tuple[str, str, bool]]] = {}
    for event in sent(raw_lines(run, "logins")):
        app = event["producer"].partition("-")[0]
        device = type(event["device"]).__name__ if "device" in event else "device_id"
        if event["event_ts"] not in {"", "not-a-time"}:
            at = event["event_ts"]
            time = "epoch" if isinstance(at, int) else "iso" + at[len("2026-01-01T00:00:00.000") :]
            worded.setdefault((event["schema_version"], app), set()).add(
                (device, time, "session_id" in event)
            )
    assert worded == {
        **{(1, app): {("str", "isoZ", True)} for app in ("web", "ios", "android")},
        **{(2, app): {("device_id", "isoZ", True)} for app in ("web", "ios", "android")},
        (3, "web"): {("device_id", "iso", True)},
        (3, "ios"): {("device_id", "iso+02:00", False)},
        (3, "android"): {("dict", "epoch", True)},
    }
    kinds = Counter((event["schema_version"], event["kind"]) for event in sent(raw_lines(run, "logins")))
    assert kinds[3, "login_ok"] == kinds[1, "login_success"] == 0 < kinds[3, "login_success"]


def test_other_words_change_no_event(spark: SparkSession, run: Run, tmp_path: Path) -> None:
    write_logs(spark, TINY.model_copy(update={"schema_changes": False}), str(tmp_path / "raw"))
    plain = Run(tmp_path / "raw", {})
    for log in ("logins", "payments", "payouts"):
        unchanged = sent(raw_lines(plain, log))
        assert {event["schema_version"] for event in unchanged} == {2}
        assert [bare(event) for event in whole(raw_lines(run, log))] == [bare(event) for event in unchanged]


def bare(event: dict[str, Any]) -> dict[str, Any]:
    """An event without what its wording decides."""
    kept = {name: value for name, value in event.items() if name not in {"schema_version", "session_id"}}
    return kept | {"event_ts": parsed(event["event_ts"]) or event["event_ts"]}


@pytest.mark.parametrize("log", LOGS)
def test_a_daily_log_has_a_file_every_day(run: Run, log: str) -> None:
    contract = yaml.safe_load((CONTRACTS / f"{log}.yml").read_text())
    days = {TINY.day(number).isoformat() for number in range(TINY.days)}
    present = {path.name.removeprefix("ingest_date=") for path in (run.root / log).iterdir()}
    assert present == days if contract["files"]["daily"] else present <= days


def test_only_sentinels_of_one_app_version_hide_devices(run: Run) -> None:
    hidden = {
        e["producer"] for e in whole(raw_lines(run, "payments")) if not e["device_id"].startswith("dev_")
    }
    assert hidden == {"android-4.9"}


def test_no_file_below_root_tells_the_truth(run: Run) -> None:
    for log in LOGS:
        text = "\n".join(raw_lines(run, log))
        assert "is_fraud" not in text
        assert "typology" not in text
    assert set(json.loads((run.root / MARKER).read_text())) == {"settings", "seed", "days", "start_on"}
    assert not list(run.root.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("log", "key", "typologies"),
    [
        ("payments", "payment_id", {"T1", "T2", "T3", "T7"}),
        ("job_posts", "job_id", {"T4"}),
        ("messages", "thread_id", {"T5"}),
        ("accounts", "account_id", {"T1", "T2", "T4", "T5", "T7"}),
    ],
)
def test_the_truth_lies_beside_root_and_matches_the_logs(
    run: Run, log: str, key: str, typologies: set[str]
) -> None:
    name = "threads" if log == "messages" else log
    truth = pq.read_table(run.root.parent / "hidden_truth" / f"{name}.parquet").to_pylist()
    known = {row[key] for row in truth}
    seen = {event[key] for event in whole(raw_lines(run, log))}
    assert seen <= known
    assert len(seen) > 0.95 * len(known)
    assert {row["typology"] for row in truth if row["is_fraud"]} <= typologies
    assert any(row["is_fraud"] for row in truth)


def test_one_partition_and_four_write_the_same_bytes(spark: SparkSession, run: Run, tmp_path: Path) -> None:
    write_logs(spark, TINY.model_copy(update={"partitions": 4}), str(tmp_path / "four"))
    assert contents(tmp_path / "four") == contents(run.root)


def test_a_run_after_a_kill_ends_with_the_same_files_and_no_leftovers(
    spark: SparkSession, run: Run, tmp_path: Path
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(run.root, root)
    day = root / "payments" / "ingest_date=2026-01-20"
    (day / "payments.jsonl.gz").rename(day / ".tmp-killed")
    (root / "logins" / "ingest_date=2026-01-21" / "logins.jsonl.gz").unlink()
    write_logs(spark, TINY, str(root))
    assert contents(root) == contents(run.root)


def test_logs_of_other_settings_are_not_mixed(spark: SparkSession, run: Run) -> None:
    before = contents(run.root)
    with pytest.raises(FileExistsError, match=r"other settings \(seed 7, 60 days from 2026-01-01\)"):
        write_logs(spark, SimulationSettings.tiny(seed=8), str(run.root))
    assert contents(run.root) == before


def test_a_folder_with_logs_of_unknown_origin_is_left_alone(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "raw" / "payments").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="payments not written by this simulation"):
        write_logs(spark, TINY, str(tmp_path / "raw"))


def test_the_truth_may_not_lie_among_the_logs(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lies inside root"):
        write_logs(spark, TINY, str(tmp_path), truth_root=str(tmp_path / "truth"))


@pytest.mark.parametrize("log", LOGS)
def test_no_day_carries_more_refused_rows_than_its_contract_allows(run: Run, log: str) -> None:
    contract = yaml.safe_load((CONTRACTS / f"{log}.yml").read_text())
    for file in (run.root / log).glob("*/*.gz"):
        lines = gzip.decompress(file.read_bytes()).decode().splitlines()
        events = whole(lines)
        refused = len(lines) - len(events) + sum(is_refused(event) for event in events)
        assert refused <= contract["refuse_above"] * len(lines), f"{file}: {refused} of {len(lines)}"


def is_refused(event: dict[str, str]) -> bool:
    happened = parsed(event["event_ts"])
    return (
        event["event_id"] is None
        or "," in event.get("amount", "")
        or event.get("currency", "USD") not in {"USD", "EUR", "GBP", "INR"}
        or happened is None
        or happened > datetime.fromisoformat(event["ingest_ts"]).astimezone(UTC) + timedelta(minutes=5)
    )
