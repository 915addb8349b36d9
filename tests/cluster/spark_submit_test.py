"""Every job as users start it on a cluster: spark-submit, separate executor processes, code shipped as a zip."""

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
FROM_LOGS_TO_SCORES = (
    ("simulate_logs",),
    ("ingest_logs",),
    ("build_features",),
    ("train_model", "--as-of", "2026-03-02"),
    ("promote_model",),
    ("score_events", "--from", "2026-03-02", "--to", "2026-03-06"),
)
BESIDE_THEM = (
    ("explore_logs",),
    ("prove_features",),
    ("erase_user", "--user", "acc_nobody", "--reason", "request 1"),
    ("maintain_tables",),
)
PLACES = """\
lake: {root: lake}
raw: {root: raw, days_per_batch: 366}
mlflow: {store: mlflow, experiment: cluster}
training: {trainer: {distribute_above_rows: 50, workers: 2}}
"""
# Events, labels and a change log, with few features, from logs to scores.
LOGS = [f"{ROOT}/conf/contracts/{log}.yml" for log in ("payments", "disputes", "account_changes")]
FEW = (
    FROM_LOGS_TO_SCORES,
    ROOT / "tests" / "small" / "two_logs.yml",
    f"contracts: {json.dumps(LOGS)}\n",
)
# Every job, log and feature there is; labels that count as settled after ten days leave enough of two months.
EVERY = (
    FROM_LOGS_TO_SCORES + BESIDE_THEM,
    ROOT / "conf" / "marketplace.yml",
    """\
definitions: definitions.py
simulation: {days: 66, accounts: 900, payments_per_day: 60, logins_per_account: 2, fraud: {approved_share: 0.1}}
training:
  split: {train_days: 14, test_days: 7}
  sweep: {trials: 2, rounds: 15, stop_after: 5}
  metrics: {draws: 50}
gate: {min_average_precision: 0, min_roc_auc: 0, min_frauds: 1, min_days: 2}
""",
)
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


@pytest.mark.parametrize(
    ("steps", "conf", "overlay"),
    [pytest.param(*FEW, id="few"), pytest.param(*EVERY, id="every", marks=pytest.mark.slow)],
)
def test_jobs_run_by_spark_submit_on_separate_executors(
    tmp_path: Path, steps: tuple[tuple[str, ...], ...], conf: Path, overlay: str
) -> None:
    files = [ROOT / "conf" / "base.yml", conf]
    for name, text in (("overlay.yml", overlay), ("places.yml", PLACES)):
        files.append(tmp_path / name)
        files[-1].write_text(text, encoding="utf-8")
    (tmp_path / "definitions.py").write_text(DEFINITIONS, encoding="utf-8")
    configured = [part for file in files for part in ("--config", str(file))]
    said = {}
    for job, *arguments in steps:
        ended = submit(tmp_path, ROOT / "jobs" / f"{job}.py", *arguments, *configured)
        # spark-submit sends all that the program says to standard output.
        said[job] = ended.stdout
        assert ended.returncode == 0, said[job][-3000:] + ended.stderr[-3000:]
        assert f"trustlake.{job}: done:" in said[job]
    assert "2 workers" in said["train_model"]
    assert "v1 → champion" in said["promote_model"]
    again = submit(tmp_path, ROOT / "jobs" / "promote_model.py", *configured)
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
