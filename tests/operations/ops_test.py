"""What operators do with a workspace, by the real SDK against a workspace on loopback that fails as real ones do."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient

from lake.errors import TrustlakeError
from operations.cli import main
from operations.databricks.client import Patience, make_client, told
from operations.databricks.costs import costs
from operations.databricks.deployed import deployed
from operations.databricks.runs import find_job, follow, start, token
from operations.workflows.bundle import load_bundle
from tests.operations.fake_workspace import Fault, Server, look

ROOT = Path(__file__).parents[2]
QUICK = Patience(reply=0.5, retries=10, poll=0.01)
RUN_NOW = "/api/2.2/jobs/run-now"
TRAINING = "2 training"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """A workspace with the jobs of the bundle as prod deploys them."""
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("DATABRICKS_TOKEN", "a token of nobody")
    monkeypatch.setattr("operations.databricks.ops.Patience", lambda: QUICK)
    monkeypatch.chdir(ROOT)
    with Server() as started:
        monkeypatch.setenv("DATABRICKS_HOST", started.host)
        for number, job in enumerate(load_bundle(ROOT, "prod").jobs.values(), start=1):
            tasks = [{"task_key": task.at("task_key").text} for task in job.at("tasks").items]
            started.workspace.jobs[number] = {"name": job.at("name").text, "tasks": tasks}
        yield started


@pytest.fixture
def client(server: Server) -> WorkspaceClient:
    assert server.host
    return make_client(QUICK)


def begin(client: WorkspaceClient, **parameters: str) -> int:
    job = find_job(client, TRAINING)
    return start(client, job, parameters, token(TRAINING, "2026-09-04", 1, parameters))


def ended(client: WorkspaceClient, run_id: int, said: list[str] | None = None, seconds: float = 5) -> object:
    said = [] if said is None else said
    return follow(client, run_id, seconds=seconds, poll=0.01, changed=said.append)


@pytest.mark.parametrize("fault", [Fault(429, {"Retry-After": "1"}), Fault(503)])
def test_a_busy_workspace_is_asked_again_and_starts_one_run(
    server: Server, client: WorkspaceClient, fault: Fault
) -> None:
    server.workspace.faults[RUN_NOW] = [fault, fault]
    assert begin(client) == 1000
    assert server.count(RUN_NOW) == 3
    assert len(server.workspace.runs) == 1


def test_a_reply_that_comes_too_late_starts_no_second_run(server: Server, client: WorkspaceClient) -> None:
    server.workspace.faults[RUN_NOW] = [Fault(seconds=1.0)]
    assert begin(client) == 1000
    assert server.count(RUN_NOW) == 2
    assert list(server.workspace.runs) == [1000]


def test_a_broken_workspace_is_told_of_at_once(server: Server, client: WorkspaceClient) -> None:
    server.workspace.faults[RUN_NOW] = [Fault(500)]
    with pytest.raises(TrustlakeError, match=r"run: the workspace says .*: as planned"), told("run"):
        begin(client)
    assert server.count(RUN_NOW) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told_of(server: Server, client: WorkspaceClient, status: int) -> None:
    server.workspace.faults[RUN_NOW] = [Fault(status)]
    with pytest.raises(TrustlakeError, match=r"the workspace refuses: .* check the credentials"), told("run"):
        begin(client)


def test_a_run_is_followed_task_by_task_to_its_good_end(server: Server, client: WorkspaceClient) -> None:
    server.workspace.plans = [
        [
            look("PENDING", None, prove="pending"),
            look("RUNNING", None, prove="running", train="blocked"),
            look("RUNNING", None, prove="SUCCESS", train="running"),
            look("TERMINATED", "SUCCESS", prove="SUCCESS", train="SUCCESS"),
        ]
    ]
    said: list[str] = []
    found = ended(client, begin(client), said)
    assert (found.is_good, found.state) == (True, "TERMINATED SUCCESS")  # type: ignore[attr-defined]  # an Ended
    assert said == [
        "prove: pending",
        "prove: running",
        "train: blocked",
        "prove: success",
        "train: running",
        "train: success",
    ]


@pytest.mark.parametrize(
    ("end", "state", "failures"),
    [
        (
            look("TERMINATED", "FAILED", "Task train failed", prove="SUCCESS", train="FAILED"),
            "TERMINATED FAILED",
            ("train: no frauds", "Task train failed"),
        ),
        (look("INTERNAL_ERROR", "FAILED", "driver lost"), "INTERNAL_ERROR FAILED", ("driver lost",)),
        (look("INTERNAL_ERROR", None, "no machines"), "INTERNAL_ERROR", ("no machines",)),
        (look("SKIPPED", None, "another run"), "SKIPPED", ("another run",)),
        (look("TERMINATED", "CANCELED"), "TERMINATED CANCELED", ()),
    ],
)
def test_a_run_that_ends_badly_is_no_success(
    server: Server, client: WorkspaceClient, end: dict[str, object], state: str, failures: tuple[str, ...]
) -> None:
    server.workspace.plans = [[end]]
    server.workspace.errors = {5001: "no frauds"}
    found = ended(client, begin(client))
    assert (found.is_good, found.state, found.failures) == (False, state, failures)  # type: ignore[attr-defined]  # an Ended


def test_a_run_that_does_not_end_in_time_goes_on(server: Server, client: WorkspaceClient) -> None:
    server.workspace.plans = [[look("RUNNING", None, train="running")]]
    with pytest.raises(TrustlakeError, match="run 1000 has not ended after 0 s, and goes on"):
        ended(client, begin(client), seconds=0.1)


@pytest.mark.usefixtures("server")
def test_a_host_that_nobody_answers_at_is_told_of_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(TrustlakeError, match=r"connect: cannot be reached: .*; is the host right\?"):
        make_client(Patience())
    assert time.monotonic() - began < 15


def test_no_host_at_all_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(TrustlakeError, match="set DATABRICKS_HOST and its credentials, or name a profile"):
        make_client(QUICK)


def test_tasks_past_the_first_page_count_too(server: Server, client: WorkspaceClient) -> None:
    names = [f"t{number:03}" for number in range(230)]
    server.workspace.jobs[2]["tasks"] = [{"task_key": name} for name in names]
    end = look("TERMINATED", "FAILED", **dict.fromkeys(names[:-1], "SUCCESS"), **{names[-1]: "FAILED"})
    server.workspace.plans, server.workspace.errors = [[end]], {5229: "the last one"}
    said: list[str] = []
    found = ended(client, begin(client), said)
    assert found.failures == ("t229: the last one",)  # type: ignore[attr-defined]  # an Ended
    assert len(said) == 230
    assert len(client.jobs.get(2).settings.tasks) == 230  # type: ignore[union-attr,arg-type]  # it is there


def test_a_token_is_the_same_for_the_same_run_alone() -> None:
    one = token("2 training", "2026-09-04", 1, {"a": "1", "b": "2"})
    assert one == token("2 training", "2026-09-04", 1, {"b": "2", "a": "1"})
    assert len(one) == 64
    others = {
        token("3 promotion", "2026-09-04", 1, {"a": "1", "b": "2"}),
        token("2 training", "2026-09-05", 1, {"a": "1", "b": "2"}),
        token("2 training", "2026-09-04", 2, {"a": "1", "b": "2"}),
        token("2 training", "2026-09-04", 1, {"a": "1"}),
    }
    assert len(others | {one}) == 5


def test_an_operator_starts_a_run_once_and_repairs_it(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.workspace.plans = [
        [look("TERMINATED", "FAILED", prove="SUCCESS", train="FAILED")],
        [look("TERMINATED", "FAILED", prove="SUCCESS", train="FAILED")],
        [look("RUNNING", None, train="running"), look("TERMINATED", "SUCCESS", train="SUCCESS")],
    ]
    server.workspace.errors = {5001: "no frauds"}
    asked = [
        "ops",
        "run",
        "training",
        "--target",
        "prod",
        "--at",
        "2026-09-04",
        "--param",
        "as_of=2026-09-04",
    ]
    for _ in range(2):
        assert main(asked) == 1
        told_of = capsys.readouterr()
        assert told_of.out == "run 1000 of 2 training\n"
        assert "train: no frauds" in told_of.err
        assert "run 1000 ended as TERMINATED FAILED; when it is mended: ops repair 1000" in told_of.err
    assert server.workspace.runs[1000]["asked"]["job_parameters"] == {"as_of": "2026-09-04"}
    assert main(["ops", "repair", "1000"]) == 1
    assert main(["ops", "repair", "1000"]) == 0
    assert "run 1000: TERMINATED SUCCESS" in capsys.readouterr().out
    assert main(["ops", "wait", "1000"]) == 0
    assert main(["ops", "wait", "77"]) == 1
    assert "Run 77 does not exist" in capsys.readouterr().err
    assert main([*asked, "--attempt", "2"]) == 0
    assert len(server.workspace.runs) == 2


def test_what_is_deployed_is_told_for_each_workflow(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    del server.workspace.jobs[3]
    server.workspace.jobs[2]["tasks"].pop()
    server.workspace.jobs[1]["schedule"] = {
        "quartz_cron_expression": "0 0 1 * * ?",
        "timezone_id": "UTC",
        "pause_status": "PAUSED",
    }
    assert main(["ops", "run", "scoring", "--target", "prod"]) == 0
    capsys.readouterr()
    assert main(["ops", "status", "--target", "prod"]) == 0
    rows = {line.split("  ")[0]: " ".join(line.split()[1:]) for line in capsys.readouterr().out.splitlines()}
    assert rows["ingest_and_features"] == "deployed paused never run"
    assert rows["training"] == "deployed, with other tasks by hand never run"
    assert rows["promotion"] == "not deployed"
    assert rows["scoring"] == "deployed by hand SUCCESS"


def test_development_names_are_those_of_who_asks(server: Server, client: WorkspaceClient) -> None:
    server.workspace.jobs[9] = {"name": "[dev ann_lee] 2 training", "tasks": []}
    assert main(["ops", "run", "training"]) == 0
    assert server.workspace.runs[1000]["job_id"] == 9
    assert main(["ops", "run", "promotion"]) == 1
    assert [one.state for one in deployed(client, load_bundle(ROOT, "dev"))] == ["not deployed"] * 8


def test_results_are_exported_a_line_a_task(server: Server, tmp_path: Path) -> None:
    server.workspace.plans = [
        [look("TERMINATED", "SUCCESS", prove="SUCCESS", train="SUCCESS")],
        [look("TERMINATED", "FAILED", prove="FAILED", train="UPSTREAM_FAILED")],
    ]
    for at in ("2026-09-04", "2026-09-11"):
        main(["ops", "run", "training", "--target", "prod", "--at", at, "--no-wait"])
    out = tmp_path / "runs.csv"
    assert (
        main(["ops", "export", "training", "--target", "prod", "--since", "2026-01-01", "--out", str(out)])
        == 0
    )
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert [(row["run_id"], row["task"], row["state"], row["seconds"]) for row in rows] == [
        ("1001", "prove", "FAILED", "60"),
        ("1001", "train", "UPSTREAM_FAILED", "60"),
        ("1000", "prove", "SUCCESS", "60"),
        ("1000", "train", "SUCCESS", "60"),
    ]
    assert rows[0]["started_at"] == datetime(2026, 3, 1, tzinfo=UTC).isoformat()
    (asked,) = [asked for _, path, asked in server.workspace.requests if path.endswith("runs/list")]
    assert asked["start_time_from"] == str(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000))


def test_costs_come_from_the_billing_tables(
    server: Server, client: WorkspaceClient, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = {"statement_id": "s1", "status": {"state": "PENDING"}}
    done = {
        "statement_id": "s1",
        "status": {"state": "SUCCEEDED"},
        "result": {"data_array": [["2", "1000", "1.5", "0.6"], ["2", "1001", "2.5", "1.0"]]},
    }
    server.workspace.statements = [waiting, done]
    argv = ["ops", "cost", "training", "--target", "prod", "--warehouse", "w", "--since", "2026-03-01"]
    assert main(argv) == 0
    assert (
        capsys.readouterr().out.splitlines()[-1] == "2 runs since 2026-03-01: 4.00 DBU, 1.60 at list prices"
    )
    asked = next(asked for _, path, asked in server.workspace.requests if path == "/api/2.0/sql/statements")
    assert {item["name"]: item["value"] for item in asked["parameters"]} == {
        "since": "2026-03-01",
        "job_id": "2",
    }
    server.workspace.statements = [{"status": {"state": "FAILED", "error": {"message": "no SELECT"}}}]
    with pytest.raises(
        TrustlakeError, match=r"warehouse w refused: no SELECT; it needs SELECT on system\.billing"
    ):
        costs(client, "w", 2, date(2026, 3, 1), seconds=1, poll=0.01)
