"""The peak memory of the demo: of the whole process tree, also of what was given back long before the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MEGABYTE = 2**20
HOLDS = "import time; held = bytearray(b'x') * (200 * 2**20); time.sleep(3)"
# In a process of its own: Spark's, beside the other tests, take and give back as much meanwhile.
MEASURES = f"""
import subprocess, sys, time
from operations.demo.memory import PeakMemory
with PeakMemory() as alone:
    time.sleep(1)
with PeakMemory() as both:
    subprocess.run([sys.executable, "-c", {HOLDS!r}], check=True)
    time.sleep(1)
print(both.peak_bytes - alone.peak_bytes)
"""


def test_what_a_child_held_and_gave_back_is_in_the_peak() -> None:
    command = [sys.executable, "-c", MEASURES]
    measured = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert 200 * MEGABYTE <= int(measured.stdout) < 300 * MEGABYTE
