"""What is known of a local run of a workflow, kept in a file, so that it can be repaired later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from lake.errors import ConfigError
from operations.workflows.run_if import State

_FILE = "run.json"


@dataclass(slots=True)
class TaskRecord:
    """One task: how far it is, how often it was tried, how long it took, what a condition found, what went wrong."""

    state: State = State.PENDING
    attempts: int = 0
    seconds: float = 0.0
    outcome: str | None = None
    error: str | None = None


@dataclass(slots=True)
class RunRecord:
    """One run: its job, target, parameters and tasks; ``at`` is the instant it stands for."""

    run_id: str
    job: str
    target: str
    at: datetime
    parameters: Mapping[str, str]
    tasks: dict[str, TaskRecord] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write it; a reader finds the old or the new record, never half of one."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self) | {"at": self.at.isoformat()}, indent=1)
        made = folder / f"{_FILE}.new"
        made.write_text(text, encoding="utf-8")
        made.replace(folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> RunRecord:
        """Read it.

        Raises:
            ConfigError: there is no such run.
        """
        path = folder / _FILE
        if not path.is_file():
            there = sorted(other.parent.name for other in folder.parent.glob(f"*/{_FILE}"))
            raise ConfigError([f"{folder}: no such run; there are {', '.join(there) or 'none'}"])
        held = json.loads(path.read_text(encoding="utf-8"))
        tasks = {
            name: TaskRecord(**(task | {"state": State(task["state"])}))
            for name, task in held["tasks"].items()
        }
        return cls(**(held | {"at": datetime.fromisoformat(held["at"]), "tasks": tasks}))

    def reset_failed(self) -> list[str]:
        """Make everything pending again that did not succeed or was excluded; returns the names."""
        again = [name for name, task in self.tasks.items() if task.state is not State.SUCCESS]
        for name in again:
            self.tasks[name] = TaskRecord()
        return again
