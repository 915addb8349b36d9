"""The example for one's own data: three short files, none of the packages knows of it, and the same jobs run on it."""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
import warnings
from contextlib import redirect_stdout
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import mlflow
import pytest
from pyspark.sql import DataFrame, SparkSession

from operations.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "handbook"
PACKAGES = ("lake", "features", "training", "scoring", "jobs", "operations", "simulation")
FIRST, DAYS, ROWS_A_DAY = date(2018, 4, 1), 44, 100
HEADER = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")
# The example's own split spans half a year; here two folds of two days are enough.
SHORT = """\
lake: {root: lake}
raw: {root: raw, days_per_batch: 1000}
mlflow: {store: mlflow}
training:
  split: {train_days: 14, test_days: 2, folds: 2, validation_folds: 1}
  metrics: {draws: 50, precision_at: [10]}
  proof: {rows: 40}
  sweep:
    trials: 2
    rounds: 20
    stop_after: 10
    start:  # a leaf for few rows: the example's own start wants more than a fold here has
      - max_depth: 4
        learning_rate: 0.3
        min_child_weight: 1
        reg_lambda: 1
        subsample: 1
        colsample_bytree: 1
        max_bin: 256
gate: {min_average_precision: 0.0, min_roc_auc: 0.0, min_frauds: 1, min_days: 2, draws: 50}
steps:
  - ingest_logs
  - build_features
  - train_model --as-of 2018-05-12
  - promote_model
  - score_events --from 2018-05-12 --to 2018-05-15
"""


def deliver(raw: Path) -> None:
    """Write a file a day in the Handbook's format."""
    draw, ids = random.Random(7), count()
    (raw / "transactions").mkdir(parents=True)
    for number in range(DAYS):
        day = datetime.combine(FIRST + timedelta(days=number), datetime.min.time())
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(HEADER)
        for second in sorted(draw.sample(range(86_400), ROWS_A_DAY)):
            customer, terminal, amount = (
                draw.randrange(2000),
                draw.randrange(40),
                draw.lognormvariate(3.5, 0.8),
            )
            # The same terminals are broken into all the time.
            is_fraud = terminal % 8 == 0 and draw.random() < 0.6
            at = day + timedelta(seconds=second)
            writer.writerow([next(ids), at, customer, terminal, f"{amount:.2f}", int(is_fraud)])
        (raw / "transactions" / f"{day:%Y-%m-%d}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))


@pytest.fixture(scope="module")
def said(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demo of the example prints, on files written here."""
    folder = tmp_path_factory.mktemp("handbook")
    (folder / "short.yml").write_text(SHORT, encoding="utf-8")
    deliver(folder / "raw")
    files = (ROOT / "conf" / "base.yml", EXAMPLE / "overlay.yml", folder / "short.yml")
    tracking, registry = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    with redirect_stdout(io.StringIO()) as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow and what it stands on warn of their own code
        code = main(["demo", *(part for file in files for part in ("--config", str(file)))])
    mlflow.set_tracking_uri(tracking)
    mlflow.set_registry_uri(registry)
    assert code == 0
    return out.getvalue()


def table(spark: SparkSession, said: str, name: str) -> DataFrame:
    place = re.search(r"^tables: (.*)$", said, re.MULTILINE)
    assert place is not None, said
    return spark.read.format("delta").load(f"{place[1]}/{name}")


def test_every_transaction_is_an_event_and_a_feature_row_and_its_label_is_known_a_week_later(
    spark: SparkSession, said: str
) -> None:
    assert table(spark, said, "events_payments").count() == DAYS * ROWS_A_DAY
    labels = table(spark, said, "events_fraud_labels")
    assert labels.where("known_at = event_at + INTERVAL 7 DAYS").count() == DAYS * ROWS_A_DAY
    assert table(spark, said, "features_payments").count() == DAYS * ROWS_A_DAY
    assert table(spark, said, "quarantine").isEmpty()
    assert table(spark, said, "scores_payment_fraud").count() == 3 * ROWS_A_DAY


def test_both_folds_and_the_published_figures_stand_in_one_table(said: str) -> None:
    shown = said[said.index("test fold") :].splitlines()
    head, *lines = (re.split(r" {2,}", line.strip()) for line in shown if line.strip())
    assert head == ["test fold", "roc_auc", "average_precision", "entity_precision_at_100_per_day"]
    rows = {name: cells for name, *cells in lines}
    for fold in ("2018-05-01 to 2018-05-03", "2018-05-03 to 2018-05-05"):
        assert all(0 <= float(cell) <= 1 for cell in rows[fold])
    assert re.fullmatch(r"0\.\d{3} ± 0\.\d{3}", rows["mean ± deviation"][0])
    assert rows["published: best XGBoost"] == ["0.872", "0.694", "0.304"]
    assert rows["published: best of any model"] == ["0.879", "0.694", "0.305"]


def test_a_terminals_past_frauds_are_what_the_model_ranks_by(said: str) -> None:
    mean = re.search(r"mean ± deviation +(\S+)", said)
    assert mean is not None
    assert float(mean[1]) > 0.85, (
        "the written frauds repeat at their terminals, so a week later they are foreseeable"
    )


def test_the_example_is_three_files_of_about_a_hundred_lines() -> None:
    files = sorted(path.name for path in EXAMPLE.iterdir() if path.is_file())
    assert files == ["contract.yml", "definitions.py", "overlay.yml"]
    lines = [line for name in files for line in (EXAMPLE / name).read_text(encoding="utf-8").splitlines()]
    assert sum(bool(line.strip()) for line in lines) <= 110


def test_no_package_knows_of_the_example() -> None:
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(sources) > len(PACKAGES)
    named = [path for path in sources if "handbook" in path.read_text(encoding="utf-8").lower()]
    assert named == []
