"""Writes dist/trustlake.zip, which spark-submit ships to executors with --py-files.

It holds the tracked Python files of the packages and nothing else; the same files give the same bytes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PACKAGES = ("lake", "features", "training", "scoring", "jobs", "operations", "simulation")
TARGET = Path("dist/trustlake.zip")


def package_files(*options: str) -> list[str]:
    """Paths of the packages' Python files that ``git ls-files`` names with ``options``, sorted."""
    command = ["git", "ls-files", "-z", *options, "--", *(f"{name}/*.py" for name in PACKAGES)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(path for path in listed.split("\0") if path and Path(path).is_file())


def write(target: Path, paths: Sequence[str]) -> None:
    """Write a zip of the files at ``paths``; it is there whole or not at all."""
    draft = target.with_suffix(".draft")
    with ZipFile(draft, "w", ZIP_DEFLATED) as archive:
        for path in paths:
            archive.writestr(ZipInfo(path), Path(path).read_bytes(), ZIP_DEFLATED)
    draft.replace(target)


def main() -> int:
    """Write the zip. Returns 1 when git tracks no package file."""
    tracked = package_files()
    if not tracked:
        print("git tracks no file of the packages; run git add first", file=sys.stderr)
        return 1
    unknown = package_files("--others", "--exclude-standard")
    if unknown:
        print(f"left out, because git does not track them: {', '.join(unknown)}", file=sys.stderr)
    TARGET.parent.mkdir(exist_ok=True)
    write(TARGET, tracked)
    print(f"{TARGET}: {len(tracked)} files, {TARGET.stat().st_size / 1000:,.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
