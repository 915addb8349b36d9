"""Which raw files there are, which of them are new, and in what batches they will be read.

A batch is written to ``ingest_files`` before its first row is read, so a run that was killed is finished by the
next one with exactly the same files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.errors import RefusedError

_SHOWN = 3


@dataclass(frozen=True, slots=True, order=True)
class RawFile:
    """One delivered file. ``path`` is relative to the raw root; ``modified`` is its storage time in microseconds."""

    day: str
    path: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one log that are read together."""

    log: str
    batch_id: str
    files: tuple[RawFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @classmethod
    def of(cls, log: str, files: Sequence[RawFile], sha256: Mapping[str, str]) -> Batch:
        """The batch of these files; its id is a hash of the log, their paths and their contents."""
        digest = hashlib.sha256(
            "\n".join([log, *(f"{file.path} {sha256[file.path]}" for file in files)]).encode()
        )
        return cls(log, digest.hexdigest()[:16], tuple(files))


def delivered(spark: SparkSession, root: str, contract: Contract) -> list[RawFile]:
    """Every delivered file of a log, in order of day and path; Spark lists none without a byte in it."""
    base = root.rstrip("/")
    try:
        listed = (
            spark.read.format("binaryFile")
            .load(f"{base}/{contract.files.glob}")
            .select("path", "length", F.unix_micros("modificationTime").alias("modified"))
            .collect()
        )
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        listed = []
    files = []
    for row in listed:
        path = relative(row["path"], base)
        day = contract.files.day_of(path)
        if day is not None:
            files.append(RawFile(day, path, row["length"], row["modified"]))
    return sorted(files)


def of_days(
    files: Sequence[RawFile], root: str, contract: Contract, days: tuple[date, date]
) -> list[RawFile]:
    """Those of a log's files that were delivered on days in [first, last).

    Raises:
        RefusedError: the contract promises a file a day, and a day has none.
    """
    first, last = days[0].isoformat(), days[1].isoformat()
    chosen = [file for file in files if first <= file.day < last]
    if contract.files.daily:
        _check_every_day(contract, days, chosen, root.rstrip("/"))
    return chosen


def relative(path: str, root: str) -> str:
    """A path as Spark gives it (``file:/…``), relative to the raw root."""
    folder = root.rstrip("/") + "/"
    return path[path.index(folder) + len(folder) :]


def batches(
    log: str, files: Iterable[RawFile], sha256: Mapping[str, str], days_per_batch: int
) -> list[Batch]:
    """Files grouped by their day of delivery, ``days_per_batch`` calendar days together, counted from the first."""
    ordered = sorted(files)

    def slot(file: RawFile) -> int:
        return (date.fromisoformat(file.day) - date.fromisoformat(ordered[0].day)).days // days_per_batch

    return [Batch.of(log, list(group), sha256) for _, group in groupby(ordered, key=slot)]


def checksums(spark: SparkSession, root: str, files: Sequence[RawFile]) -> Mapping[str, str]:
    """SHA-256 of each file as delivered, by its relative path."""
    if not files:
        return {}
    base = root.rstrip("/")
    rows = (
        spark.read.format("binaryFile")
        .load([f"{base}/{file.path}" for file in files])
        .select("path", F.sha2("content", 256).alias("sha256"))
        .collect()
    )
    return {relative(row["path"], base): row["sha256"] for row in rows}


def _check_every_day(
    contract: Contract, days: tuple[date, date], files: Sequence[RawFile], base: str
) -> None:
    delivered = {file.day for file in files}
    span = (days[1] - days[0]).days
    wanted = [(days[0] + timedelta(days=n)).isoformat() for n in range(span)]
    empty = [day for day in wanted if day not in delivered]
    if empty:
        more = f" and {len(empty) - _SHOWN} more" if len(empty) > _SHOWN else ""
        raise RefusedError(
            f"{contract.log} has no file with anything in it for {', '.join(empty[:_SHOWN])}{more} under "
            f"{base}/{contract.files.pattern}; deliver it, narrow --from and --to, or set files.daily to false in the "
            "contract"
        )
