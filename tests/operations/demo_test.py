"""``trustlake demo`` on a tiny marketplace: what goes in comes out, is named as refused, or is a second delivery."""

from __future__ import annotations

import os
import re
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import mlflow
import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs import promote_model, score_events, simulate_logs
from jobs.job import check
from lake.documents import decode
from lake.errors import ConfigError, RefusedError
from lake.hash_key import HashKey, needed
from lake.ingest.schemas import BATCHES, QUARANTINE
from operations.cli import main
from operations.workflows.run_if import State
from operations.workflows.run_record import RunRecord
from simulation.dirt.settings import DirtSettings
from simulation.marketplace import LOGS
from simulation.settings import SimulationSettings
from tests.operations.planted_dirt import shown
from training.registry import ModelRegistry

ROOT = Path(__file__).parents[2]
PLACES = """\
lake: {root: lake}
raw: {root: raw}
mlflow: {store: mlflow}
"""
FILES = ("conf/base.yml", "conf/marketplace.yml", "tests/small/marketplace.yml")
JOBS = ("simulate_logs", "ingest_logs", "build_features", "train_model", "promote_model", "score_events")
# What the simulation plants, and the rule of a contract that finds all of it.
FOUND_AS = {
    "near_duplicate": "near_duplicate",
    "test_traffic": "test_traffic",
    "missing_key": "event_id_missing",
    "truncated_line": "unparsable_row",
    "bad_timestamp": "event_at_not_a_time",
    "bad_currency": "currency_not_allowed",
    "money_as_text": "amount_not_decimal(18,4)",
}
# Rules that find some of what was planted; the events show the rest.
WRONG_CLOCK = ("event_after_arrival", "event_too_long_before_arrival")
CUT_OFF = ("ip_unlike_pattern", "signup_ip_unlike_pattern")
SHOWN = (
    "missing_ip",
    "orphan",
    "broken_text",
    "byte_order_mark",
    "late_arrival",
    "very_late_arrival",
    "producer_outage",
    "out_of_order_change",
)

pytestmark = pytest.mark.minutes


@dataclass(frozen=True)
class Demo:
    """A finished demo: where it is, and what it printed."""

    folder: Path
    said: str = ""

    @property
    def config(self) -> list[str]:
        files = [*(str(ROOT / name) for name in FILES), str(self.folder / "places.yml")]
        return [part for file in files for part in ("--config", file)]

    def counts(self, job: str) -> dict[str, int]:
        """The line of results of a step: ``12 bad currency · 3 …`` as numbers by name."""
        line = re.search(rf"^{job}: (?:planted )?(.*)$", self.said, re.MULTILINE)
        assert line is not None
        parts = (part.split(" ", maxsplit=1) for part in line[1].split(" · "))
        return {name: int(number.replace(",", "")) for number, name in parts}

    def row(self, job: str) -> list[str]:
        """The cells of a step in the table at the end."""
        line = re.search(rf"^{job}  .*$", self.said, re.MULTILINE)
        assert line is not None, f"{job} has no row in {self.said}"
        return re.split(r" {2,}", line[0])

    def table(self, name: str) -> DataFrame:
        session = SparkSession.getActiveSession()
        assert session is not None
        return session.read.format("delta").load(str(self.folder / "lake" / name))

    def commits(self) -> set[str]:
        """Every commit of every table."""
        lake = self.folder / "lake"
        return {str(path.relative_to(lake)) for path in lake.glob("*/_delta_log/*.json")}


@pytest.fixture(scope="module")
def demo(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, run once for all tests; the hidden truth is gone before the second of its steps begins."""
    made = Demo(tmp_path_factory.mktemp("demo"))
    (made.folder / "places.yml").write_text(PLACES, encoding="utf-8")
    tracking, registry = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    simulate_logs.main(made.config)
    shutil.rmtree(made.folder / "hidden_truth")
    yield replace(made, said=printed(made))
    mlflow.set_tracking_uri(tracking)
    mlflow.set_registry_uri(registry)


def printed(demo: Demo) -> str:
    """Run the demo; what it says on standard output."""
    with redirect_stdout(StringIO()) as said, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow and what it stands on warn of their own code
        assert main(["demo", *demo.config]) == 0
    return said.getvalue()


def test_the_table_at_the_end_has_a_row_for_every_step(demo: Demo) -> None:
    assert "step" in demo.said
    for job in JOBS:
        assert len(demo.row(job)) >= 3, demo.said
    assert re.search(r"^\d+ s, peak memory \d+\.\d GiB$", demo.said, re.MULTILINE)
    assert f"tables: {demo.folder}/lake" in demo.said
    assert "v1 → champion" in demo.said


def test_every_raw_row_comes_out_is_refused_or_is_a_second_delivery(demo: Demo) -> None:
    raw_rows = int(demo.row("simulate_logs")[1].replace(",", ""))
    batches = demo.table(BATCHES.name).collect()
    assert sum(row["rows_in"] for row in batches) == raw_rows
    assert all(row["rows_in"] == row["rows_out"] + row["duplicates"] + row["refused"] for row in batches)
    for log in LOGS:
        written = sum(row["rows_out"] for row in batches if row["log"] == log)
        assert demo.table(f"events_{log}").count() == written > 0
    assert demo.table(QUARANTINE.name).count() == sum(row["refused"] for row in batches)
    _, rows_in, rows_out, refused, *_ = demo.row("ingest_logs")
    assert [int(cell.replace(",", "")) for cell in (rows_in, rows_out, refused)] == [
        sum(row[name] for row in batches) for name in ("rows_in", "rows_out", "refused")
    ]


def test_planted_dirt_is_refused_by_the_rule_that_names_it_and_by_no_other(demo: Demo) -> None:
    planted, found = demo.counts("simulate_logs"), demo.counts("ingest_logs")
    # Of a transaction that does not balance, both entries are refused.
    unequal = 2 * planted.get("ledger_imbalance", 0)
    imbalance = {"ledger_imbalance": unequal} if unequal else {}
    expected = {FOUND_AS[kind]: planted[kind] for kind in FOUND_AS} | imbalance
    expected["duplicates"] = planted["exact_duplicate"] + planted["replayed_day"]
    in_part = {*WRONG_CLOCK, *CUT_OFF}
    assert {reason: count for reason, count in found.items() if reason not in in_part} == expected
    assert in_part <= set(found)
    assert min(found.values()) > 0
    kept = demo.table(QUARANTINE.name).where("text IS NOT NULL AND source_file IS NOT NULL")
    by_reason = {row["reason"]: row["count"] for row in kept.groupBy("reason").count().collect()}
    assert by_reason == {name: count for name, count in found.items() if name != "duplicates"}


def test_planted_dirt_that_no_rule_finds_shows_in_the_events(demo: Demo) -> None:
    planted, refused = demo.counts("simulate_logs"), demo.counts("ingest_logs")
    loaded, _, _ = check(demo.config[1::2])
    settings = decode(SimulationSettings, loaded.document.section("simulation"))
    key = needed(HashKey.of_environment(os.environ), "the demo")
    found = shown(demo.table, settings, key)
    assert {kind: found[kind] for kind in SHOWN} == {kind: planted.get(kind, 0) for kind in SHOWN}
    assert found["no_device"] == planted["missing_device"] + planted["sentinel_device"]
    cut_off = sum(refused[rule] for rule in CUT_OFF)
    assert found["odd_address"] + cut_off == planted["bad_address"]
    ahead_or_long_ago = sum(refused[rule] for rule in WRONG_CLOCK)
    wrong_clocks = planted["clock_skew"] + planted["hour_off"] + planted["year_off"]
    assert found["hour_behind"] + ahead_or_long_ago == wrong_clocks
    compared = {*FOUND_AS, *SHOWN, "exact_duplicate", "replayed_day", "missing_device", "sentinel_device"}
    compared |= {"bad_address", "clock_skew", "hour_off", "year_off", "ledger_imbalance"}
    assert compared == set(DirtSettings.model_fields)


def test_every_change_of_an_account_is_a_version_and_one_of_them_is_current(demo: Demo) -> None:
    changes, versions = demo.table("events_account_changes"), demo.table("dim_account_changes")
    assert (
        versions.count()
        == changes.where("op <> 'D'").count()
        > changes.select("account_id").distinct().count()
    )
    current = versions.where("valid_to IS NULL")
    assert current.count() == current.select("account_id").distinct().count() > 0
    assert versions.where("valid_to < valid_from").isEmpty()


def test_every_approved_payment_gets_one_feature_row_and_every_one_of_the_last_days_one_score(
    demo: Demo,
) -> None:
    payments = demo.table("events_payments").where("auth_result = 'approved'")
    features = demo.table("features_payments")
    assert features.count() == features.select("payment_id").distinct().count() == payments.count() > 0
    scores = demo.table("scores_payment_fraud")
    late = payments.where("event_at >= '2026-05-15' AND event_at < '2026-05-20'").select("payment_id")
    assert scores.select("row_id").exceptAll(late).isEmpty()
    assert late.exceptAll(scores.select("row_id")).isEmpty()
    assert 0 < scores.where("score BETWEEN 0 AND 1 AND model_version = 1").count() == scores.count()


def test_every_run_is_noted_as_done(demo: Demo) -> None:
    runs = demo.table("runs").select("job", "state", "error").collect()
    assert Counter((row["job"], row["state"], row["error"]) for row in runs) == Counter(
        {(job, "done", None): 1 for job in JOBS}
    )


def test_a_second_demo_finds_every_step_completed_and_changes_no_table(demo: Demo) -> None:
    before = demo.commits()
    again = replace(demo, said=printed(demo))
    assert "every step was completed before: no table was changed" in again.said
    assert all("done before" in again.row(job) for job in JOBS)
    assert demo.counts("ingest_logs") == again.counts("ingest_logs")
    assert again.commits() == before


def test_a_step_that_is_refused_ends_the_demo_with_its_message_and_leaves_a_log(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = ["score_events --from 2026-05-15 --to 2026-05-20", "promote_model"]
    failing = Demo(
        Path(
            shutil.copytree(
                demo.folder,
                tmp_path / "failing",
                ignore=shutil.ignore_patterns("lake", "raw", "mlflow", "runs"),
            )
        )
    )
    with (failing.folder / "places.yml").open("a", encoding="utf-8") as places:
        places.write(f"steps: {steps}\n")
    assert main(["demo", *failing.config]) == 3
    said = capsys.readouterr().err
    assert "[1/2] score_events" in said
    assert "[2/2]" not in said
    mistake = "has no champion"
    assert mistake in said
    (log,) = (failing.folder / "runs").glob("*-demo/1_score_events.log")
    assert mistake in log.read_text(encoding="utf-8")


def test_a_champion_is_copied_to_another_environment_where_it_passed_the_gate_and_scores_there(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Demo(Path(shutil.copytree(demo.folder, tmp_path / "other", ignore=shutil.ignore_patterns("raw"))))
    origin, target = (
        "trustlake.fraud.payment_fraud",
        "--set=mlflow.registered_model=production.fraud.payment_fraud",
    )
    copy = ("--copy-of", origin)
    promote_model.main([*other.config, target, *copy])
    assert f"{origin} v1 → production.fraud.payment_fraud v1, champion" in capsys.readouterr().err
    promote_model.main([*other.config, target, *copy])
    score_events.main([*other.config, target, "--from", "2026-05-20", "--to", "2026-05-21"])
    assert other.table("scores_payment_fraud").where("as_of >= '2026-05-20'").count() > 0
    with pytest.raises(RefusedError, match=r"trustlake\.fraud\.absent has no champion"):
        promote_model.main([*other.config, target, "--copy-of", "trustlake.fraud.absent"])
    with pytest.raises(ConfigError, match="is the model of this environment"):
        promote_model.main([*other.config, *copy])
    ModelRegistry(origin, tracking_uri=mlflow.get_tracking_uri()).set_tags(1, {"gate": "refused"})
    elsewhere = "--set=mlflow.registered_model=elsewhere.fraud.payment_fraud"
    with pytest.raises(RefusedError, match="v1 was refused there; run promote_model in its own"):
        promote_model.main([*other.config, elsewhere, *copy])


@pytest.mark.parametrize("isolation", [pytest.param("process", marks=pytest.mark.slow), "session"])
def test_a_workflow_of_the_bundle_runs_on_spark_and_its_second_run_changes_nothing(
    demo: Demo, tmp_path: Path, isolation: str
) -> None:
    home = Path(shutil.copytree(demo.folder, tmp_path / "home"))
    days = ("--param", "from=2026-05-18", "--param", "to=2026-05-20", "--at", "2026-05-20")
    command = [
        "run",
        "ingest_and_features",
        "--folder",
        str(ROOT),
        "--home",
        str(home),
        "--isolation",
        isolation,
    ]
    assert main([*command, *days]) == 0
    copy = Demo(home)
    done = copy.table("runs").where("state = 'done'").select("job", "slice").collect()
    assert any("2026-05-18" in row["slice"] for row in done if row["job"] == "build_features")
    (folder,) = (home / "runs").glob("*-ingest_and_features")
    states = {name: task.state for name, task in RunRecord.load(folder).tasks.items()}
    assert states == {
        "ingest": State.SUCCESS,
        "replays": State.SUCCESS,
        "replay": State.EXCLUDED,
        "features": State.SUCCESS,
    }
    before = copy.commits()
    if isolation == "session":
        assert main([*command, *days]) == 0
        assert copy.commits() == before


def test_nothing_but_the_simulation_knows_of_the_hidden_truth() -> None:
    packages = ("lake", "features", "training", "scoring", "jobs", "operations", "conf", "examples")
    files = [path for name in packages for path in (ROOT / name).rglob("*") if path.suffix in {".py", ".yml"}]
    assert len(files) > len(packages)
    assert [path for path in files if "hidden_truth" in path.read_text(encoding="utf-8")] == []
