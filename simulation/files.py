"""Log files, one per log and hours of arrival: JSON lines under gzip, whole or absent, never half written.

Runs on executors; takes and returns plain values.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"
_GZIP = 31
# A part of Unicode's private use area: Arrow and Spark carry no text with bytes that are not UTF-8.
_RAW_BYTES = 0xF700
_ESCAPED_BYTE = re.compile(rb"\\uf7([89a-f][0-9a-f])")


def log_path(root: str, log: str, arrived: str, region: int) -> Path:
    """Return where the lines of one log and region lie that arrived from an hour on, such as ``2026-03-01T06``."""
    day, hour = arrived.split("T")
    return Path(root) / log / f"ingest_date={day}" / f"hour={hour}" / f"{of_region(log, region)}.jsonl.gz"


def of_region(name: str, region: int) -> str:
    """Return the name of a region's file: the plain name for the first."""
    return f"{name}-{region:03}" if region else name


def raw_byte(byte: int) -> str:
    """Return the character that stands in a record for one byte (128 to 255) that is not UTF-8."""
    return chr(_RAW_BYTES + byte)


def json_line(record: Mapping[str, object], keep_share: float) -> bytes:
    """Return one line and its end; a share below 1 cuts the line off in the middle."""
    line = json.dumps(record, separators=(",", ":"))
    kept = (line[: int(len(line) * keep_share)] if keep_share < 1.0 else line).encode()
    return _ESCAPED_BYTE.sub(lambda escaped: bytes.fromhex(escaped[1].decode()), kept) + b"\n"


def write_whole(path: Path, lines: Iterable[bytes]) -> None:
    """Write a gzip file, complete or not at all; equal lines give equal bytes (no time, no name inside)."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    payload = packer.compress(b"".join(lines)) + packer.flush()
    write_bytes(path, payload)


def write_bytes(path: Path, payload: bytes) -> None:
    """Replace ``path`` by ``payload`` at once; a killed writer leaves a file with the temporary prefix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(payload)
    Path(name).chmod(0o644)
    Path(name).replace(path)


def remove_leftovers(root: str) -> None:
    """Remove what killed writers left under ``root``."""
    for leftover in Path(root).rglob(f"{TEMPORARY_PREFIX}*"):
        leftover.unlink(missing_ok=True)
