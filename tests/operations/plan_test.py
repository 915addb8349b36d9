"""What ``trustlake plan`` says before a build, between builds and after definitions have changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.build_features import JOB as BUILD
from jobs.ingest_logs import JOB as INGEST
from jobs.job import run_job
from operations.cli import main


def test_a_plan_names_columns_days_and_sources(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def told() -> str:
        capsys.readouterr()
        assert main(["plan", *config]) == 0
        return capsys.readouterr().out

    config = ["--config", project.config]
    for day in ("2026-03-01", "2026-03-02", "2026-03-04"):
        row = {"payment_id": day, "card_id": "a", "amount": "1.00", "ts": f"{day}T10:00:00Z"}
        project.write(f"raw/payments/{day}.jsonl", json.dumps(row))
    run_job(INGEST, config)
    first = told()
    assert "payments → features_payments\n  new: the table, with 6 features\n" in first
    assert "missing: 3 rows; --from 2026-03-01 --to 2026-03-03; --from 2026-03-04 --to 2026-03-05" in first
    assert "reads: events_payments (version 1), what became known before the end of the range" in first
    assert "sealed at: never" in first

    run_job(BUILD, [*config, "--from", "2026-03-01", "--to", "2026-03-03"])
    second = told()
    assert "columns: all 6 as they are" in second
    assert "spine: 3 rows, 2026-03-01 to 2026-03-04; built: 2\n  missing: 1 rows; --from 2026-03-04" in second
    assert "sealed at: 2026-03-03 00:00:00+00:00" in second

    project.write("base.yml", (project.folder / "base.yml").read_text() + "features: {state_above_rows: 0}\n")
    run_job(BUILD, [*config, "--from", "2026-03-04", "--to", "2026-03-05"])
    increment = told()
    assert "missing: nothing" in increment
    assert "state of 2026-03-04 00:00: a build from then on reads what windows hold, and no more" in increment

    project.definitions(
        'count("payments"), total("amount")',
        'count("payments", where="amount > 5"), total("amount", name="paid")',
    )
    third = told()
    assert "new: card_paid_1d\n  gone: card_amount_sum_1d\n  changed: card_payments_1d\n" in third
    assert "now: Number of payments where amount > 5, of the card" in third
    assert "build the whole range (without --from and --to)" in third
    assert "state of" not in third
    assert "refused" not in third

    text = (project.folder / "definitions.py").read_text()
    project.write("definitions.py", text.replace('total("amount"', 'total("double(amount)"'))
    fourth = told()
    assert "refused: " in fourth
    assert "sum of double(amount) in payments is double; a double gives other sums in another order" in fourth
