"""What ``write_logs`` leaves on disk: counts, days, bytes, and nothing that tells the truth."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import ValidationError
from pyspark.sql import SparkSession

from simulation.marketplace import LOGS, MARKER, write_logs
from simulation.settings import SimulationSettings
from tests.simulation.raw_lines import CONTRACTS, TINY, Run, is_test, lines_of, parsed, raw_lines, sent, whole

SKIPPED = {"event_type", "event_ts", "ingest_ts", "schema_version", "producer", "raw_offset"}


def contents(root: Path) -> dict[str, bytes]:
    return {str(f.relative_to(root)): f.read_bytes() for f in sorted(root.rglob("*")) if f.is_file()}


@pytest.mark.parametrize("log", LOGS)
def test_lines_lie_in_the_file_of_their_arrival_in_order_of_arrival(run: Run, log: str) -> None:
    days = sorted((run.root / log).glob("ingest_date=*"))
    for day in days:
        (file,) = (day / "hour=00").iterdir()
        arrivals = [e["ingest_ts"] for e in whole(lines_of(file))]
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
    assert all(set(unwanted) <= fields for unwanted in contract.get("refuse", {}).values())
    assert contract["log"] == log


def places(name: str, column: dict[str, Any]) -> set[str]:
    """The raw fields that a column is read from."""
    named = [reading.get("from", name) for reading in (column, *column.get("older", []))]
    listed = [[place] if isinstance(place, str) else place for place in named]
    return {place.removeprefix("$.").partition(".")[0] for some in listed for place in some}


def test_apps_word_the_same_events_in_three_ways(run: Run) -> None:
    worded: dict[tuple[int, str], set[tuple[str, str, bool]]] = {}
    for event in sent(raw_lines(run, "logins")):
        if is_test(event) or event.get("device", "") is None:
            continue
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
        ("payments", "payment_id", {"T1", "T2", "T3", "T7", "T9"}),
        ("job_posts", "job_id", {"T4"}),
        ("messages", "thread_id", {"T5"}),
        ("contract_changes", "contract_id", {"T1", "T2", "T3", "T6", "T7", "T8", "T9", "T10"}),
        ("accounts", "account_id", {"T1", "T2", "T4", "T5", "T6", "T7", "T8", "T9", "T11"}),
    ],
)
def test_the_truth_lies_beside_root_and_matches_the_logs(
    run: Run, log: str, key: str, typologies: set[str]
) -> None:
    name = {"messages": "threads", "contract_changes": "contracts"}.get(log, log)
    truth = pq.read_table(run.root.parent / "hidden_truth" / f"{name}.parquet").to_pylist()
    known = {row[key] for row in truth}
    seen = {event[key] for event in whole(raw_lines(run, log)) if not is_test(event)}
    assert seen <= known
    assert len(seen) > 0.95 * len(known)
    assert {row["typology"] for row in truth if row["is_fraud"]} <= typologies
    assert any(row["is_fraud"] for row in truth)


def test_one_partition_and_four_write_the_same_bytes(spark: SparkSession, run: Run, tmp_path: Path) -> None:
    write_logs(spark, TINY.model_copy(update={"partitions": 4}), str(tmp_path / "four"))
    assert contents(tmp_path / "four") == contents(run.root)


def test_files_of_some_hours_hold_the_lines_of_those_of_a_day(spark: SparkSession, tmp_path: Path) -> None:
    for hours in (24, 6, 1):
        settings = TINY.model_copy(update={"days": 14, "hours_per_file": hours})
        write_logs(spark, settings, str(tmp_path / str(hours) / "raw"))
    whole_days = tmp_path / "24" / "raw"
    for log in LOGS:
        for day in sorted((whole_days / log).iterdir()):
            expected = lines_of(day / "hour=00" / f"{log}.jsonl.gz")
            for hours in (6, 1):
                files = sorted((tmp_path / str(hours) / "raw" / log / day.name).rglob("*.gz"))
                assert [line for file in files for line in lines_of(file)] == expected
                for file in files:
                    first = int(file.parent.name.removeprefix("hour="))
                    arrivals = [int(event["ingest_ts"][11:13]) for event in whole(lines_of(file))]
                    assert set(arrivals) <= set(range(first, first + hours))
    assert len(list(tmp_path.glob("1/raw/payments/*/*"))) > 100


def test_a_run_after_a_kill_ends_with_the_same_files_and_no_leftovers(
    spark: SparkSession, run: Run, tmp_path: Path
) -> None:
    root = tmp_path / "raw"
    shutil.copytree(run.root, root)
    day = root / "payments" / "ingest_date=2026-01-20" / "hour=00"
    (day / "payments.jsonl.gz").rename(day / ".tmp-killed")
    (root / "logins" / "ingest_date=2026-01-21" / "hour=00" / "logins.jsonl.gz").unlink()
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


OF_ALL = ("exchange_rates", "card_issuers", "throw_away_domains", "holidays")


def test_regions_are_marketplaces_of_their_own_with_their_files_side_by_side(
    spark: SparkSession, tmp_path: Path
) -> None:
    both = TINY.model_copy(update={"regions": 2, "days": 14})
    written = {log.log: log for log in write_logs(spark, both, str(tmp_path / "both" / "raw"))}
    rows = dict.fromkeys(LOGS, 0)
    for region, part in enumerate(both.by_region()):
        alone = tmp_path / f"alone_{region}" / "raw"
        for log in write_logs(spark, part, str(alone)):
            rows[log.log] += 0 if region and log.log in OF_ALL else log.rows
        suffix = "-001" if region else ""
        for path in alone.rglob("*.jsonl.gz"):
            if region and path.parents[2].name in OF_ALL:
                continue
            day = tmp_path / "both" / path.parent.relative_to(tmp_path / f"alone_{region}")
            assert (day / path.name.replace(".", f"{suffix}.", 1)).read_bytes() == path.read_bytes()
    assert {log.log: log.rows for log in written.values()} == rows
    names = ("accounts.parquet", "accounts-001.parquet")
    first, second = (
        set(pq.read_table(tmp_path / "both" / "hidden_truth" / name)["account_id"].to_pylist())
        for name in names
    )
    assert len(first) >= 450
    assert len(second) >= 450
    assert first & second == set()


def test_regions_of_a_few_people_are_refused() -> None:
    with pytest.raises(ValidationError, match="900 accounts in 5 regions are fewer than 200 in each"):
        SimulationSettings(accounts=900, regions=5)


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_size_of_the_configuration_describes_a_marketplace(size: str) -> None:
    overlay = yaml.safe_load((CONTRACTS.parent / "sizes" / f"{size}.yml").read_text())
    settings = SimulationSettings(**overlay["simulation"])
    assert settings.accounts == {"small": 50_000, "large": 1_000_000}[size]
    assert sum(part.accounts for part in settings.by_region()) == settings.accounts
