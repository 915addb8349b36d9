"""Commands in processes of their own, which end with everything they started."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

_SECONDS_TO_END = 10


class TooLongError(Exception):
    """A command ran longer than it may, and was killed."""


def carried_out(
    command: Sequence[str], log: Path, environment: Mapping[str, str], seconds: float | None
) -> int:
    """Run a command, with all it says in a file; returns its exit code.

    Raises:
        TooLongError: it took more than so many seconds.
    """
    with log.open("a", encoding="utf-8") as said:
        # In the same group, so that who interrupts the run on a terminal interrupts its tasks.
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env=os.environ | environment
        )
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise TooLongError(f"{command[0]} took more than {seconds:.0f} s") from error
        finally:
            _end(process.pid)


def _end(pid: int) -> None:
    """Kill a process and what it started; a JVM that outlives its Python would keep the lake's files."""
    try:
        root = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return
    tree = [*root.children(recursive=True), root]
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(tree, timeout=_SECONDS_TO_END)
