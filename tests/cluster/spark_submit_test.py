"""Jobs as users start them on a cluster: spark-submit, separate executor processes, code shipped as a zip."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.find_spark_home import _find_spark_home

from jobs.java import find_java
from lake.delta_jars import DeltaJars, configuration
from lake.hash_key import VARIABLE

ROOT = Path(__file__).parents[2]
ZIP = ROOT / "dist" / "trustlake.zip"
STEPS = (
    ("simulate_logs",),
    ("ingest_logs",),
    ("explore_logs",),
    ("build_features",),
    ("prove_features",),
    ("train_model", "--as-of", "2026-03-02"),
    ("promote_model",),
    ("score_events", "--from", "2026-03-02", "--to", "2026-03-06"),
    ("erase_user", "--user", "acc_nobody", "--reason", "request 1"),
    ("maintain_tables",),
)
PLACES = """\
lake: {root: lake}
raw: {root: raw, days_per_batch: 366}
mlflow: {store: mlflow, experiment: cluster}
training: {trainer: {kind: several_tasks, workers: 2}}
"""
BASE = ROOT / "conf" / "base.yml"
# Events, labels and a change log.
LOGS = [f"{ROOT}/conf/contracts/{log}.yml" for log in ("payments", "disputes", "account_changes")]
FEW = f"contracts: {json.dumps(LOGS)}\n"
# Labels that count as settled after ten days leave enough of two months.
EARLY = """\
definitions: definitions.py
simulation: {days: 66, accounts: 900, payments_per_day: 60, logins_per_account: 2, fraud: {approved_share: 0.1}}
training:
  split: {train_days: 14, test_days: 7}
  sweep: {trials: 2, rounds: 15, stop_after: 5}
  metrics: {draws: 50}
gate: {min_average_precision: 0, min_roc_auc: 0, min_frauds: 1, min_days: 2}
"""
DEFINITIONS = """\
from dataclasses import replace
from datetime import timedelta

from training import marketplace

label = replace(marketplace.payment_fraud.label, matures_after=timedelta(days=10))
early = replace(marketplace.payment_fraud, label=label)
"""

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", autouse=True)
def _shipped() -> None:
    if not ZIP.is_file():
        subprocess.run([sys.executable, "scripts/build_zip.py"], cwd=ROOT, check=True)


def submit(home: Path, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program by spark-submit on two executors of one core each."""
    jars = configuration(DeltaJars())
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"JAVA_HOME": str(find_java().home), "PYSPARK_PYTHON": sys.executable}
    environment[VARIABLE] = "a key for tests only"
    options = [part for name, value in jars.items() for part in ("--conf", f"{name}={value}")]
    return subprocess.run(
        [
            *(f"{_find_spark_home()}/bin/spark-submit", "--master", "local-cluster[2,1,1024]"),
            *("--py-files", str(ZIP), *options, str(program), *arguments),
        ],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def configured(folder: Path, *files: Path, **overlays: str) -> list[str]:
    """The options that name these files, with overlays written beside the work."""
    named = list(files)
    for name, text in overlays.items():
        named.append(folder / f"{name}.yml")
        named[-1].write_text(text, encoding="utf-8")
    return [part for file in named for part in ("--config", str(file))]


def test_from_logs_to_scores_on_separate_executors_that_run_the_shipped_zip(tmp_path: Path) -> None:
    program = Path(shutil.copy(ROOT / "tests" / "cluster" / "command.py", tmp_path))
    options = configured(tmp_path, BASE, ROOT / "tests/small/two_logs.yml", few=FEW, places=PLACES)
    ended = submit(tmp_path, program, "demo", *options)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    # spark-submit sends all that the program says to standard output.
    for job in (
        "simulate_logs",
        "ingest_logs",
        "build_features",
        "train_model",
        "promote_model",
        "score_events",
    ):
        assert f"trustlake.{job}: done:" in ended.stdout
    assert "2 workers" in ended.stdout
    assert "v1 → champion" in ended.stdout


@pytest.mark.slow
def test_every_job_runs_by_spark_submit_with_every_log_and_feature(tmp_path: Path) -> None:
    (tmp_path / "definitions.py").write_text(DEFINITIONS, encoding="utf-8")
    options = configured(tmp_path, BASE, ROOT / "conf/marketplace.yml", early=EARLY, places=PLACES)
    said = {}
    for job, *arguments in STEPS:
        ended = submit(tmp_path, ROOT / "jobs" / f"{job}.py", *arguments, *options)
        said[job] = ended.stdout
        assert ended.returncode == 0, said[job][-3000:] + ended.stderr[-3000:]
        assert f"trustlake.{job}: done:" in said[job]
    assert "2 workers" in said["train_model"]
    assert "v1 → champion" in said["promote_model"]
    again = submit(tmp_path, ROOT / "jobs" / "promote_model.py", *options)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout


def test_one_task_and_two_fit_alike_on_separate_executors_that_run_the_shipped_zip(
    tmp_path: Path,
) -> None:
    # A copy outside of the repository: the folder of a submitted program is on Python's path.
    program = Path(shutil.copy(ROOT / "tests" / "cluster" / "fit_both_ways.py", tmp_path))
    ended = submit(tmp_path, program)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    said = json.loads(next(line for line in ended.stdout.splitlines() if line.startswith("RESULT "))[7:])
    assert len(said["folders"]) == 2
    assert all("trustlake.zip" in code for code in said["code"])
    assert said["gap_native_to_spark"] == {"1": 0.0, "2": 0.0}
    assert said["roc_auc"]["1"] > 0.85
    assert abs(said["roc_auc"]["1"] - said["roc_auc"]["2"]) < 0.02
    assert said["correlation"] > 0.95


def test_a_fit_outlives_a_killed_executor_and_ends_with_the_booster_of_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    program = Path(shutil.copy(ROOT / "tests" / "cluster" / "fit_while_killed.py", tmp_path))
    ended = submit(tmp_path, program, str(tmp_path / "rows"))
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    said = json.loads(next(line for line in ended.stdout.splitlines() if line.startswith("RESULT "))[7:])
    assert said["killed"] >= 1
    assert said["retried"]
    assert (said["rounds"], said["gap"]) == (80, 0.0)
