"""Tasks in this process and its one Spark session: quick, and less like a workspace than a process for each."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from jobs.job import run_job
from lake.errors import RefusedError, TrustlakeError


def in_session(
    folder: Path, local: Sequence[str], entry: str, argv: Sequence[str], name: str, seconds: float | None
) -> int:
    """Run a job here, with what it says in the log of the task; returns the exit code that its command would have.

    A limit of time is not kept: nothing can end a job from within its process.
    """
    del seconds
    job = importlib.import_module(f"jobs.{entry}").JOB
    log = folder / f"{name}.log"
    with log.open("a", encoding="utf-8") as said, redirect_stdout(said), redirect_stderr(said):
        try:
            run_job(job, [*argv, *local])
        except TrustlakeError as error:
            said.write(f"{entry}: {error}\n")
            is_fine = isinstance(error, RefusedError) and "--refusal-ok" in argv
            return 0 if is_fine else error.exit_code
        except SystemExit as ended:  # of the parser
            return int(ended.code or 0)
        except Exception:  # noqa: BLE001 - a command would end with a traceback, and the run go on
            traceback.print_exc(file=said)
            return 1
    return 0
