"""A workspace on loopback: jobs, runs, statements, and faults on demand, by the standard library alone.

What it answers is what Databricks' API 2.2 answers, as far as the project asks; the real SDK talks to it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import Loopback, Reply, Request

PAGE = 100


@dataclass(frozen=True)
class Fault:
    """What happens to a request instead of, or before, its answer."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Workspace:
    """Its state. ``faults`` are used up, the first first, by requests of a path."""

    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    by_token: dict[str, int] = field(default_factory=dict)
    # What a look at a run finds next, by the run: life cycle, result, states of tasks.
    script: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    plans: list[list[dict[str, Any]]] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    statements: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    requests: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    user: str = "ann.lee@example.com"
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to a request, or 404 where there is none."""
        route = getattr(
            self, "_" + path.removeprefix("/api/").replace("/", "_").replace(".", "_").replace("-", "_"), None
        )
        if route is None and path.startswith("/api/2.0/sql/statements/"):
            return 200, self.statements.pop(0)
        return (
            route(asked)
            if route is not None
            else (404, {"error_code": "NOT_FOUND", "message": f"{method} {path}"})
        )

    def _2_0_preview_scim_v2_Me(self, _: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802 - the path
        return 200, {"id": "1", "userName": self.user}

    def _2_2_jobs_list(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        named = [
            {"job_id": job_id, "settings": {"name": settings["name"]}}
            for job_id, settings in self.jobs.items()
            if asked.get("name", settings["name"]).lower() == settings["name"].lower()
        ]
        return 200, {"jobs": named, "has_more": False}

    def _2_2_jobs_get(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        job_id = int(asked["job_id"])
        settings = self.jobs[job_id]
        page, following = _paged(settings.get("tasks", []), asked)
        return 200, {"job_id": job_id, "settings": {**settings, "tasks": page}, **following}

    def _2_2_jobs_run_now(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if int(asked["job_id"]) not in self.jobs:
            return 400, {
                "error_code": "INVALID_PARAMETER_VALUE",
                "message": f"Job {asked['job_id']} does not exist.",
            }
        token = asked.get("idempotency_token")
        if token is None or token not in self.by_token:
            run_id = 1000 + len(self.runs)
            self.runs[run_id] = {"job_id": int(asked["job_id"]), "asked": asked, "history": []}
            self.script[run_id] = self.plans.pop(0) if self.plans else [_look("TERMINATED", "SUCCESS")]
            if token is not None:
                self.by_token[token] = run_id
            return 200, {"run_id": run_id}
        return 200, {"run_id": self.by_token[token]}

    def _2_2_jobs_runs_get(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run_id = int(asked["run_id"])
        if run_id not in self.runs:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"Run {run_id} does not exist."}
        looks = self.script[run_id]
        look = looks[0]
        page, following = _paged(look["tasks"], asked)
        # A look is over when its last page was read.
        if not following and len(looks) > 1:
            looks.pop(0)
        run = {"run_id": run_id, "job_id": self.runs[run_id]["job_id"], "state": look["state"], "tasks": page}
        return 200, run | following | {"repair_history": self.runs[run_id]["history"]}

    def _2_2_jobs_runs_repair(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run = self.runs[int(asked["run_id"])]
        ids = [item["id"] for item in run["history"]]
        if asked.get("latest_repair_id") != (ids[-1] if ids else None):
            return 400, {"error_code": "INVALID_STATE", "message": "another repair was made meanwhile"}
        run["history"].append({"id": 70 + len(ids), "type": "REPAIR"})
        self.script[int(asked["run_id"])] = self.plans.pop(0)
        return 200, {"repair_id": 70 + len(ids)}

    def _2_2_jobs_runs_get_output(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"error": self.errors[int(asked["run_id"])]}

    def _2_2_jobs_runs_list(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = [
            {
                "run_id": run_id,
                "job_id": run["job_id"],
                "run_name": self.jobs[run["job_id"]]["name"],
                "state": self.script[run_id][0]["state"],
                **({"tasks": self.script[run_id][0]["tasks"]} if asked.get("expand_tasks") == "true" else {}),
            }
            for run_id, run in self.runs.items()
            if run["job_id"] == int(asked["job_id"])
        ]
        return 200, {"runs": found[::-1], "has_more": False}

    def _2_0_sql_statements(self, _: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, self.statements.pop(0)


def _look(life_cycle: str, result: str | None, message: str = "", **tasks: str) -> dict[str, Any]:
    """What a look at a run finds: its state, and of each task its result, or its life cycle in small letters."""
    state = {"life_cycle_state": life_cycle, "state_message": message} | (
        {"result_state": result} if result else {}
    )
    return {"state": state, "tasks": [_task(number, *item) for number, item in enumerate(tasks.items())]}


look = _look


def _task(number: int, key: str, state: str) -> dict[str, Any]:
    held = (
        {"life_cycle_state": state.upper()}
        if state.islower()
        else {"life_cycle_state": "TERMINATED", "result_state": state}
    )
    return {
        "task_key": key,
        "run_id": 5000 + number,
        "state": held,
        "attempt_number": 0,
        "start_time": 1_772_323_200_000,
        "end_time": 1_772_323_260_000,
    }


def _paged(items: list[Any], asked: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    first = int(asked.get("page_token", 0))
    more = {"next_page_token": str(first + PAGE)} if len(items) > first + PAGE else {}
    return items[first : first + PAGE], more


class Server(Loopback):
    """Serves a workspace while it is entered."""

    def __init__(self) -> None:
        self.workspace = Workspace()
        super().__init__(self._answered)

    def _answered(self, request: Request) -> Reply:
        workspace = self.workspace
        asked = dict(request.query) if request.method == "GET" else json.loads(request.body or b"{}")
        with workspace.lock:
            workspace.requests.append((request.method, request.path, asked))
            fault = workspace.faults[request.path].pop(0) if workspace.faults[request.path] else Fault()
            planned = (fault.status, {"error_code": "FAULT", "message": "as planned"})
            status, body = planned if fault.status else workspace.answer(request.method, request.path, asked)
        time.sleep(fault.seconds)
        return Reply(status, json.dumps(body).encode(), fault.headers)

    def count(self, path: str) -> int:
        """How many requests of a path there were."""
        return sum(asked == path for _, asked, _ in self.workspace.requests)
