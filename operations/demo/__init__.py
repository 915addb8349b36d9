"""``trustlake demo``: every step of a configuration in one process and one session, and what came of it."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
import time
from collections.abc import Sequence

from jobs.configuration import VARIABLE, load
from jobs.job import Finished, Job, run_job
from lake.errors import ConfigError
from operations.configurations import add_config_arguments, chosen_files
from operations.demo.memory import PeakMemory
from operations.demo.summary import quality_table, summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake demo``."""
    add_config_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the steps in order; a step that was completed before is skipped and says so.

    Raises:
        TrustlakeError: a step failed or was refused; the steps before it stand.
    """
    started = time.monotonic()
    files = chosen_files(arguments)
    loaded = load(files)
    if not loaded.config.steps:
        raise ConfigError([f"{', '.join(files) or VARIABLE}: steps is empty; list the jobs to run"])
    jobs = [_job(step, files) for step in loaded.config.steps]
    finished: list[Finished] = []
    with PeakMemory() as memory:
        for number, (job, argv) in enumerate(jobs, start=1):
            print(f"[{number}/{len(jobs)}] {loaded.config.steps[number - 1]}", file=sys.stderr, flush=True)
            finished.append(run_job(job, argv))
        table = quality_table(loaded)
    print(summary(finished, loaded.config))
    if table:
        print(table)
    if all(one.was_done for one in finished):
        print("every step was completed before: no table was changed")
    print(f"{time.monotonic() - started:.0f} s, peak memory {memory.peak_bytes / 2**30:.1f} GiB")


def _job(step: str, files: Sequence[str]) -> tuple[type[Job], list[str]]:
    name, *arguments = shlex.split(step)
    try:
        job: type[Job] = importlib.import_module(f"jobs.{name}").JOB
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError([f"steps names {name!r}, which is no job"]) from error
    return job, [*arguments, *(part for file in files for part in ("--config", file))]
