"""Features and scoring on Spark Connect: their tests once more, with executors on which trustlake is not installed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOME = ("conversion", "for_rows", "links", "lookups", "windows_golden")

pytestmark = pytest.mark.minutes


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server; its executors' Python sees the libraries of this one, and no project beside them."""
    folder = tmp_path_factory.mktemp("connect")
    worker = folder / "worker"
    libraries = os.pathsep.join(sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    # Without the module site nothing reads the files by which a project is installed where it lies.
    worker.write_text(f'#!/bin/sh\nPYTHONPATH="{libraries}" exec "{sys.executable}" -S "$@"\n')
    worker.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "tests.connect.server", port, str(worker), str(folder / "warehouse")]
    with (folder / "server.log").open("w") as said:
        server = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n", (folder / "server.log").read_text()
    yield f"sc://127.0.0.1:{port}"
    server.stdin.close()
    server.wait(timeout=60)


def passed(remote: str, *files: Path) -> str:
    """Run tests as a client of the server; what pytest says at the end."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow and not cluster", *map(str, files)]
    environment = os.environ | {"SPARK_REMOTE": remote}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]
    return done.stdout.strip().splitlines()[-1]


def test_code_goes_to_workers_with_the_session_and_scores_and_features_of_delta_are_those_of_here(
    remote: str,
) -> None:
    assert "4 passed" in passed(remote, ROOT / "tests/connect/on_connect.py")


def test_some_tests_of_features_pass(remote: str) -> None:
    assert " passed" in passed(remote, *(ROOT / f"tests/features/{name}_test.py" for name in SOME))


@pytest.mark.slow
def test_all_tests_of_features_pass(remote: str) -> None:
    assert " passed" in passed(remote, ROOT / "tests/features")
