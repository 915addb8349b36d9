"""What ``trustlake plan`` says before a build, between builds and after definitions have changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.build_features import JOB as BUILD
from jobs.ingest_logs import JOB as INGEST
from jobs.job import run_job
from operations.cli import main

CONFIG = """\
lake: {root: lake}
raw: {root: raw}
contracts: [payments.yml]
definitions: definitions.py
mlflow: {store: mlflow, experiment: tests, registry_schema: trustlake.tests}
training: {split: {train_days: 2, test_days: 1}, sweep: {trials: 1, space: {max_depth: {integer: [2, 3]}}}}
"""
CONTRACT = """\
log: payments
description: Payments
files: {pattern: "payments/{day}.jsonl", format: json}
key: [payment_id]
event_at: ts
known_at: {lag: 0s}
columns: {payment_id: {type: string}, card_id: {type: string}, amount: {type: "decimal(18,2)"}}
"""
DEFINITIONS = """\
from features.declare import Entity, FeatureGroup, FeatureView, Spine, count, days, total

card = Entity("card", key="card_id")
group = FeatureGroup(entity=card, source="payments", windows=[days(1)], measures=[count("n"), total("amount")])
view = FeatureView(name="payments", spine=Spine(source="payments", row="payment_id"), groups=[group])
"""


@pytest.fixture
def config(spark: SparkSession, tmp_path: Path) -> list[str]:
    """A project with three days of payments, ingested."""
    assert spark.version
    for name, text in (("base.yml", CONFIG), ("payments.yml", CONTRACT), ("definitions.py", DEFINITIONS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "raw" / "payments").mkdir(parents=True)
    for day in ("2026-03-01", "2026-03-02", "2026-03-04"):
        row = {"payment_id": day, "card_id": "a", "amount": "1.00", "ts": f"{day}T10:00:00Z"}
        (tmp_path / "raw" / "payments" / f"{day}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    chosen = ["--config", str(tmp_path / "base.yml")]
    run_job(INGEST, chosen)
    return chosen


def test_a_plan_names_columns_days_and_sources(
    config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> str:
        capsys.readouterr()
        assert main(["plan", *config]) == 0
        return capsys.readouterr().out

    first = told()
    assert "payments → features_payments\n  new: the table, with 4 features\n" in first
    assert "missing: 3 rows; --from 2026-03-01 --to 2026-03-03; --from 2026-03-04 --to 2026-03-05" in first
    assert "reads: events_payments (version 1), what became known before the end of the range" in first
    assert "sealed at: never" in first

    run_job(BUILD, [*config, "--from", "2026-03-01", "--to", "2026-03-03"])
    second = told()
    assert "columns: all 4 as they are" in second
    assert "spine: 3 rows, 2026-03-01 to 2026-03-04; built: 2\n  missing: 1 rows; --from 2026-03-04" in second
    assert "sealed at: 2026-03-03 00:00:00+00:00" in second

    changed = DEFINITIONS.replace('count("n")', 'count("n", where="amount > 5")').replace(
        'total("amount")', 'total("amount", name="paid")'
    )
    (tmp_path / "definitions.py").write_text(changed, encoding="utf-8")
    third = told()
    assert "new: card_paid_1d\n  gone: card_amount_sum_1d\n  changed: card_n_1d\n" in third
    assert "now: Number of payments where amount > 5, of the card" in third
    assert "build the whole range (without --from and --to)" in third
