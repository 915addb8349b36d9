"""The job explore_logs: pages of the logs in MLflow and in a folder, once for the same inputs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlflow
import pytest

from jobs.explore_logs import JOB
from jobs.job import run_job
from lake.errors import TrustlakeError
from lake.runs import RUNS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def pay(project: Any, *days: int) -> None:
    rows = [
        {
            "payment_id": f"p{n}",
            "card_id": "<script>",
            "amount": Decimal(n),
            "event_at": NOON + n * DAY,
            "known_at": NOON + n * DAY,
        }
        for n in days
    ]
    project.add_events("payments", rows)


def artifacts(run_id: str) -> set[str]:
    client = mlflow.MlflowClient()
    return {one.path for one in client.list_artifacts(run_id, "explore")}


def test_logs_are_described_once_for_the_same_inputs(project: Any, tmp_path: Path) -> None:
    pay(project, 0, 1, 2, 3)
    dispute = {"dispute_id": "d", "payment_id": "p1", "event_at": NOON + 2 * DAY, "known_at": NOON + 3 * DAY}
    project.add_events("disputes", [dispute])
    argv = ["--config", project.config, "--out", str(tmp_path / "pages")]
    first = run_job(JOB, argv)
    assert (first.was_done, first.outcome.rows_in, first.outcome.result) == (False, 5, "2 logs described")
    assert run_job(JOB, argv).was_done
    said = (tmp_path / "pages" / "payments.html").read_text(encoding="utf-8")
    # Known until noon of the 4th, and mature a day before: three rows, p1 of them fraud; the youngest is not counted.
    assert "1 of 3 settled rows are fraud: 33.33% (6.15% to 79.23%)" in said
    assert "Fraud is what disputes say with true, known before 2026-03-04 12:00 UTC" in said
    assert "events_payments version 1, events_disputes version 1" in said
    assert "<script" not in said
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["disputes.html", "payments.html"]
    assert "No model of the definitions has labels" in (tmp_path / "pages" / "disputes.html").read_text()
    [run] = mlflow.search_runs(experiment_names=["tests"], output_format="list")
    assert artifacts(run.info.run_id) == {
        f"explore/{name}"
        for name in ("disputes.html", "disputes_days.png", "payments.html", "payments_days.png")
    }
    assert run.info.status == "FINISHED"
    # Told again to do it, as after a run that was killed, it goes on in the run that is there.
    assert not run_job(JOB, [*argv, "--replace"]).was_done
    assert len(mlflow.search_runs(experiment_names=["tests"], output_format="list")) == 1
    pay(project, 4)
    assert (
        run_job(
            JOB, [*argv, "--log", "payments", "--from", "2026-03-03", "--to", "2026-03-05"]
        ).outcome.rows_in
        == 2
    )
    assert {row["state"] for row in project.lake.read(RUNS.name).collect()} == {"done"}


def test_logs_that_are_unknown_or_were_not_ingested_are_named(project: Any) -> None:
    with pytest.raises(TrustlakeError, match="declares the log nothing; there are disputes, payments"):
        run_job(JOB, ["--config", project.config, "--log", "nothing"])
    with pytest.raises(TrustlakeError, match="no log was ingested yet; run ingest_logs first"):
        run_job(JOB, ["--config", project.config])
    pay(project)
    with pytest.raises(TrustlakeError, match="disputes was ingested yet"):
        run_job(JOB, ["--config", project.config, "--log", "disputes"])
    assert project.work(JOB).rows_in == 0
