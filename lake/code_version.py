"""The version of the code that runs: the distribution's, and a hash of every source file of the packages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable

PACKAGES = ("lake", "features", "training", "scoring", "jobs", "simulation")


@cache
def code_version() -> str:
    """Such as ``0.1.0+3f9a1c20``; equal exactly where the sources are, from a folder, a wheel or a zip."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path, source in _sources(files(package), package):
            digest.update(path.encode() + b"\0" + source.read_bytes())
    try:
        number = version("trustlake")
    except PackageNotFoundError:
        number = "unpackaged"
    return f"{number}+{digest.hexdigest()[:8]}"


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{path}/{entry.name}", entry
