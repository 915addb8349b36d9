"""The peak memory of the demo: of the whole process tree, also of what was given back long before the end."""

from __future__ import annotations

import subprocess
import sys
import time

from operations.demo.memory import PeakMemory

MEGABYTE = 2**20
HOLDS = "import time; held = bytearray(b'x') * (200 * 2**20); time.sleep(3)"


def test_what_a_child_held_and_gave_back_is_in_the_peak() -> None:
    with PeakMemory() as alone:
        time.sleep(1)
    with PeakMemory() as both:
        subprocess.run([sys.executable, "-c", HOLDS], check=True)
        time.sleep(1)
    assert 200 * MEGABYTE <= both.peak_bytes - alone.peak_bytes < 300 * MEGABYTE
