"""What a command costs: CPU seconds, wall seconds and peak memory of its whole process tree."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from operations.demo.memory import held

_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU is user and system time; memory is the largest sum of PSS, sampled five times a second.

    ``python_bytes`` is the peak of the Python processes that a Spark driver started.
    """

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    python_bytes: int


class CommandFailedError(RuntimeError):
    """Raised when a measured command does not end with 0."""


def measured(command: Sequence[str], *, folder: Path, log: Path, timeout: float) -> Cost:
    """Run a command to its end and measure it and everything it starts.

    Raises:
        CommandFailedError: it fails, or does not end in ``timeout`` seconds.
    """
    cpu: dict[int, float] = {}
    peak = python_peak = 0
    began = time.monotonic()
    with (
        log.open("w", encoding="utf-8") as said,
        psutil.Popen(list(command), cwd=folder, stdout=said, stderr=subprocess.STDOUT) as process,
    ):
        while process.poll() is None:
            tree = _tree(process)
            cpu |= {one.pid: seconds for one in tree if (seconds := _cpu(one)) is not None}
            sizes = {one.pid: held(one) for one in tree}
            peak = max(peak, sum(sizes.values()))
            workers = [sizes[one.pid] for one in tree if one.pid != process.pid and _is_python(one)]
            python_peak = max(python_peak, sum(workers))
            if time.monotonic() - began > timeout:
                for one in tree:
                    one.kill()
                raise CommandFailedError(f"not done after {timeout:.0f} s: {' '.join(command)}")
            time.sleep(_SECONDS)
        if process.returncode:
            end = log.read_text(encoding="utf-8")[-2000:]
            raise CommandFailedError(f"exit code {process.returncode}: {' '.join(command)}\n{end}")
    return Cost(sum(cpu.values()), time.monotonic() - began, peak, python_peak)


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu(process: psutil.Process) -> float | None:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return None
    return float(times.user + times.system)


def _is_python(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("python")
    except psutil.NoSuchProcess:
        return False
