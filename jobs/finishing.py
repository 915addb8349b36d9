"""Notes of finished batches while an ingest runs: many batches in one commit, none waiting for long."""

from __future__ import annotations

import time
from threading import Lock

from jobs.job import Context
from lake.ingest.finished import BatchResult, Written, note_finished

_PAUSE_SECONDS = 30.0


class Finishing:
    """Collects written batches of several threads; a run killed before they are noted writes none of them twice."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = Lock()
        self._waiting: list[Written] = []
        self._noted_at = time.monotonic()
        self.results: list[BatchResult] = []

    def add(self, written: Written) -> None:
        """Take a batch, and note all that wait where the last note is some time ago."""
        with self._lock:
            self._waiting.append(written)
            if time.monotonic() - self._noted_at >= _PAUSE_SECONDS:
                self._note()

    def note_all(self) -> None:
        """Note every batch that waits."""
        with self._lock:
            self._note()

    def _note(self) -> None:
        results = note_finished(self._context.lake, self._waiting)
        for written, result in zip(self._waiting, results, strict=True):
            days = [file.day for file in written.batch.files]
            say(self._context, result, f"{min(days)} to {max(days)}")
        self.results += results
        self._waiting = []
        self._noted_at = time.monotonic()


def say(context: Context, result: BatchResult, what: str) -> None:
    """Tell what became of a batch."""
    context.log.info(
        "%s %s: %s rows in, %s out, %s duplicates, %s refused",
        context.contracts[result.log].table,
        what,
        f"{result.rows_in:,}",
        f"{result.rows_out:,}",
        f"{result.duplicates:,}",
        f"{sum(result.refused.values()):,}",
    )
