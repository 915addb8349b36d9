"""Tasks in this process and its one Spark session: quick, and less like a workspace than a process for each."""

from __future__ import annotations

import importlib
import io
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO

from pyspark import SparkContext

from jobs.job import Finished, Job, run_job
from lake.errors import ConfigError, RefusedError, TrustlakeError
from operations.workflows.processes import TooLongError

_PAUSE_SECONDS = 0.5


class InSession:
    """Carries tasks out here, one at a time.

    Nothing ends a job from within its process. One that takes too long, or is to stop, loses the Spark jobs that it has
    and those that it begins until it gives up; what it does outside Spark goes on to its end.

    Args:
        folder: where the log of each task goes.
        local: arguments that every job gets after its own.
        aloud: jobs are also heard on the terminal.

    Attributes:
        finished: how the jobs ended that came to their end.
        mistake: what the last job raised that a user can mend.
    """

    def __init__(self, folder: Path, local: Sequence[str] = (), *, aloud: bool = False) -> None:
        self.finished: list[Finished] = []
        self.mistake: TrustlakeError | None = None
        self._folder = folder
        self._local = local
        self._aloud = aloud
        self._alone = threading.Lock()  # what a job says is told apart by nothing but the time
        self._is_stopped = threading.Event()

    def carry_out(self, entry: str, argv: Sequence[str], name: str, seconds: float | None) -> int:
        """Run a job, with what it says in the log of the task; returns the exit code that its command would have.

        Raises:
            TooLongError: it took more than so many seconds.
        """
        with self._alone, self._watched(entry, seconds), self._said(name) as said:
            try:
                self.finished.append(run_job(job_named(entry), [*argv, *self._local]))
            except TrustlakeError as error:
                said.write(f"{entry}: {error}\n")
                self.mistake = error
                is_fine = isinstance(error, RefusedError) and "--refusal-ok" in argv
                return 0 if is_fine else error.exit_code
            except SystemExit as ended:  # of the parser
                return int(ended.code or 0)
            except Exception:  # noqa: BLE001 - a command would end with a traceback, and the run go on
                traceback.print_exc(file=said)
                return 1
        return 0

    def stop(self) -> None:
        """Let the task that runs come to an end soon."""
        self._is_stopped.set()

    @contextmanager
    def _said(self, name: str) -> Iterator[TextIO | _Both]:
        with (self._folder / f"{name}.log").open("a", encoding="utf-8") as log:
            said = _Both(log, sys.stderr) if self._aloud else log
            with redirect_stdout(said), redirect_stderr(said):
                yield said

    @contextmanager
    def _watched(self, entry: str, seconds: float | None) -> Iterator[None]:
        has_ended, is_late = threading.Event(), threading.Event()
        deadline = None if seconds is None else time.monotonic() + seconds

        def watch() -> None:
            while not has_ended.wait(_PAUSE_SECONDS):
                if deadline is not None and time.monotonic() > deadline:
                    is_late.set()
                context = SparkContext._active_spark_context  # noqa: SLF001 - to ask in public would make one
                if context is not None and (is_late.is_set() or self._is_stopped.is_set()):
                    context.cancelAllJobs()

        watcher = threading.Thread(target=watch, name="time-limit", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            has_ended.set()
            watcher.join()
            if is_late.is_set():
                raise TooLongError(f"{entry} took more than {seconds:.0f} s")


def job_named(name: str) -> type[Job]:
    """A job by the name of its module and of its console command.

    Raises:
        ConfigError: there is none.
    """
    try:
        job: type[Job] = importlib.import_module(f"jobs.{name}").JOB
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError([f"{name!r} is no job"]) from error
    return job


class _Both(io.TextIOBase):
    """Text to a file and to the terminal."""

    def __init__(self, file: TextIO, terminal: TextIO) -> None:
        self._file = file
        self._terminal = terminal

    def write(self, text: str) -> int:
        self._terminal.write(text)
        return self._file.write(text)

    def flush(self) -> None:
        self._terminal.flush()
        self._file.flush()

    def isatty(self) -> bool:
        return self._terminal.isatty()
