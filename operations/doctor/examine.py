"""The doctor's round: every check in order, one line each, and an error if one of them failed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lake.documents import decode, merge_documents, read_documents
from lake.errors import TrustlakeError
from operations.doctor.finding import Finding, State
from operations.doctor.machine import check_machine
from operations.doctor.packages import check_packages
from operations.doctor.spark import check_spark

if TYPE_CHECKING:
    # The doctor must also speak where pyspark is missing.
    from jobs.session import SparkSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake doctor``."""
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        type=Path,
        help="base and overlays whose Spark and workers are tried (default: conf/base.yml)",
    )
    parser.add_argument("--workers", type=int, help="training workers that need slots (default: configured)")
    parser.add_argument("--no-spark", action="store_true", help="leave out what needs a running Spark (15 s)")


def run(arguments: argparse.Namespace) -> None:
    """Print one line per finding.

    Raises:
        TrustlakeError: a check failed; names the checks.
    """
    findings = []
    for finding in examine(arguments.config, arguments.workers, with_spark=not arguments.no_spark):
        findings.append(finding)
        print(f"{finding.state:<5} {finding.check:<16} {finding.found}", flush=True)
        if finding.advice:
            print(f"{'':<22} -> {finding.advice}", flush=True)
    failed = [finding.check for finding in findings if finding.state is State.FAIL]
    if failed:
        raise TrustlakeError(f"{len(failed)} of {len(findings)} checks failed: {', '.join(failed)}")
    print(f"{len(findings)} checks, none failed")


def examine(config: Sequence[Path], workers: int | None, *, with_spark: bool) -> Iterator[Finding]:
    """Yield each finding as soon as it is made; Spark is tried only if its packages and Java are there."""
    before = [*check_packages(), *check_machine()]
    yield from before
    if not with_spark:
        return
    broken = [finding.check for finding in before if finding.state is State.FAIL]
    needed = [check for check in broken if check in {"spark and delta", "pandas", "java", "PYSPARK_PYTHON"}]
    if needed:
        yield Finding.warn("delta jars", "not tried", f"mend first: {', '.join(needed)}")
        return
    settings, configured = _settings(config)
    yield from check_spark(settings, workers or configured)


def _settings(config: Sequence[Path]) -> tuple[SparkSettings, int | None]:
    """How Spark is started, and the training workers that need slots at once."""
    from jobs.session import SparkSettings
    from operations.configurations import BASE

    named = list(config) or [path for path in [BASE] if path.is_file()]
    merged = merge_documents([document for path in named for document in read_documents(path)])
    trainer = merged.section("training").tree.get("trainer") or {}
    return decode(SparkSettings, merged.section("spark")), trainer.get("workers")
