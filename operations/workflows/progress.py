"""How far a run is: a table that stays in place on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from operations.table_lines import table_lines
from operations.workflows.run_record import RunRecord

_HEAD = ("task", "state", "attempts", "seconds")


class Progress:
    """Shows the tasks of a run as they change."""

    def __init__(self, record: RunRecord, names: Sequence[str]) -> None:
        self._record = record
        self._names = names
        self._lock = threading.Lock()
        self._drawn = 0

    def show(self, name: str) -> None:
        """Show that a task has changed."""
        with self._lock:
            if not sys.stderr.isatty():
                task = self._record.tasks[name]
                took = f" after {task.seconds:.0f} s" if task.state.is_final and task.attempts else ""
                print(f"{name}: {task.state}{took}", file=sys.stderr, flush=True)
                return
            table = self.table()
            up = f"\x1b[{self._drawn}A\x1b[J" if self._drawn else ""
            print(f"{up}{table}", file=sys.stderr, flush=True)
            self._drawn = table.count("\n") + 1

    @property
    def stays(self) -> bool:
        """Whether the table of the end is on the terminal already, where the output of the command goes too."""
        return self._drawn > 0 and sys.stdout.isatty()

    def table(self) -> str:
        """Every task with its state, attempts and seconds."""
        rows = []
        for name in self._names:
            task = self._record.tasks.get(name)
            if task is not None:
                tried = (str(task.attempts), f"{task.seconds:.0f}") if task.attempts else ("", "")
                rows.append((name, str(task.state), *tried))
        return "\n".join(table_lines(_HEAD, rows))
