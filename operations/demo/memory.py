"""The largest sum of memory that this process and all it started held at one time."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import psutil

_SECONDS = 0.2
# To count shared pages the system walks all pages of a process, 0.1 s for a JVM of 4 GB, and holds up its threads.
_RESTS = 20


class PeakMemory:
    """Samples the process tree, five times a second but no more than a twentieth of the time.

    Shared pages are counted once (PSS).
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="peak-memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        root, pause = psutil.Process(), _SECONDS
        while not self._stop.wait(pause):
            began = time.thread_time()
            tree = [root, *root.children(recursive=True)]
            # What is resident is told at once, and no share is larger.
            if sum(map(_resident, tree)) > self.peak_bytes:
                self.peak_bytes = max(self.peak_bytes, sum(map(held, tree)))
            pause = max(_SECONDS, _RESTS * (time.thread_time() - began))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def held(process: psutil.Process) -> int:
    """Bytes of one process: its share of pages where the system tells, else its resident set; 0 once it is gone.

    A process that a JVM has spawned and that has not started its own program yet runs in the JVM's memory: it holds
    nothing, though the system counts all of it twice.
    """
    try:
        parent = process.parent()
        if process.name() == "java" and parent is not None and parent.cmdline() == process.cmdline():
            return 0
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(memory, "pss", memory.rss))
