"""Raw files without a person's lines: written beside the old ones, noted in the ledger, then put in their place.

In this order a kill at any instant leaves files that name the person, which the next try finds again.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from lake.contracts import Contract
from lake.erase.lines import Lines
from lake.erase.person import Person
from lake.errors import TrustlakeError
from lake.ingest.files import delivered
from lake.ingest.schemas import FILES
from lake.tables import Lake

_TEMPORARY = ".erasing-"
_UNREADABLE = -1
_TASKS = 64
_FILES_A_TASK = 200


@dataclass(frozen=True, slots=True)
class NamingFiles:
    """Files of one log that name a person, by path, with how many lines do; and those that cannot be looked into."""

    contract: Contract
    lines: dict[str, int]
    unreadable: tuple[str, ...]


def files_naming(lake: Lake, root: str, contract: Contract, person: Person) -> NamingFiles:
    """Look through every delivered file of a log.

    Raises:
        TrustlakeError: the files lie where no process can rewrite them, or in a folder that cannot be written to.
    """
    folder = _local(root)
    paths = [file.path for file in delivered(lake.spark, root, contract)]
    if not paths:
        return NamingFiles(contract, {}, ())
    found = (
        lake.spark.createDataFrame([(path,) for path in paths], "path string")
        .repartition(min(1 + len(paths) // _FILES_A_TASK, _TASKS))
        .select("path", _count(folder, Lines.of(contract, person), F.col("path")).alias("lines"))
        .where(F.col("lines") != 0)
        .collect()
    )
    # Sorted here: Spark would look into every file twice, the first time to see where a sort has its bounds.
    counted = sorted((row["path"], row["lines"]) for row in found)
    naming = {path: lines for path, lines in counted if lines != _UNREADABLE}
    closed = [path for path in naming if not os.access((folder / path).parent, os.W_OK)]
    if closed:
        raise TrustlakeError(
            f"{contract.log}: {', '.join(closed[:3])} cannot be rewritten, for the folder is read-only; open it, or "
            "say --keep-raw and have the producer remove the lines"
        )
    return NamingFiles(contract, naming, tuple(path for path, lines in counted if lines == _UNREADABLE))


def rewrite(lake: Lake, root: str, naming: NamingFiles, person: Person) -> None:
    """Put files without the person's lines in the place of those with them."""
    folder, lines = _local(root), Lines.of(naming.contract, person)
    rewritten = []
    for path in naming.lines:
        whole = folder / path
        kept = _kept(whole, lines)[0]
        beside = whole.with_name(_TEMPORARY + whole.name)
        beside.write_bytes(_packed(whole, kept))
        shutil.copystat(whole, beside)
        content = beside.read_bytes()
        rewritten.append((naming.contract.log, path, len(content), hashlib.sha256(content).hexdigest()))
    _note(lake, rewritten)
    for path in naming.lines:
        whole = folder / path
        whole.with_name(_TEMPORARY + whole.name).replace(whole)


def _note(lake: Lake, rewritten: Sequence[tuple[str, str, int, str]]) -> None:
    """Let the ledger know the new contents, so that no file is taken for one that was tampered with."""
    if not rewritten or not lake.exists(FILES.name):
        return
    rows = lake.spark.createDataFrame(rewritten, "log string, path string, size long, sha256 string")
    lake.merge(
        FILES.name,
        rows,
        on="held.log = found.log AND held.path = found.path",
        then="WHEN MATCHED THEN UPDATE SET size = found.size, sha256 = found.sha256",
    )


def _count(folder: Path, lines: Lines, path: Column) -> Column:
    def count_all(paths: pd.Series) -> pd.Series:
        return paths.map(lambda one: _lines_naming(folder / one, lines)).astype("int64")

    counted: Column = pandas_udf(count_all, "long")(path)  # type: ignore[call-overload]  # it takes text too
    return counted


def _lines_naming(path: Path, lines: Lines) -> int:
    try:
        return _kept(path, lines)[1]
    except (OSError, EOFError, zlib.error):
        return _UNREADABLE


def _kept(path: Path, lines: Lines) -> tuple[bytes, int]:
    """What remains of a file, and how many lines do not."""
    packed = path.read_bytes()
    content = gzip.decompress(packed) if path.suffix == ".gz" else packed
    if not lines.may_be_in(content.decode(errors="replace")):
        return content, 0
    # Of bytes, this parts lines just where Spark does.
    rows = content.splitlines(keepends=True)
    first = 1 if lines.format == "csv" and not lines.header else 0
    header: Sequence[str] = lines.header
    if first and rows:
        header = next(csv.reader([rows[0].decode("utf-8-sig", errors="replace")]), [])
    kept = [
        row
        for number, row in enumerate(rows)
        if number < first or not lines.name(row.decode(errors="replace").rstrip("\r\n"), header)
    ]
    return b"".join(kept), len(rows) - len(kept)


def _packed(path: Path, content: bytes) -> bytes:
    """The new file; never without a byte, for such files are not listed, and a day would seem to have none."""
    return gzip.compress(content, mtime=0) if path.suffix == ".gz" else content or b"\n"


def _local(root: str) -> Path:
    """The raw root as a folder of this machine.

    Raises:
        TrustlakeError: it is a URI of some store.
    """
    if "://" in root:
        raise TrustlakeError(
            f"raw.root is {root}, where no process of ours rewrites files; name it by a mounted path, or "
            "say --keep-raw and have the producer remove the lines"
        )
    return Path(root)
