"""Raw logs of a simulated marketplace, as its producers would deliver them, dirt included."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from jobs.job import Context, Plan, console_command, run_job
from lake.documents import decode
from lake.errors import TrustlakeError
from lake.runs import Outcome
from simulation.marketplace import write_logs
from simulation.settings import SimulationSettings


class SimulateLogs:
    """Reads nothing; writes files below the raw root, and the hidden truth beside it."""

    NAME = "simulate_logs"
    ABOUT = "Write the raw logs of a simulated marketplace. The same settings give the same files."
    EXAMPLE = "simulate_logs --config conf/base.yml --config conf/marketplace.yml"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """No argument of its own: the marketplace is described by ``simulation`` in the configuration."""

    @staticmethod
    def plan(context: Context) -> Plan:
        settings = decode(SimulationSettings, context.loaded.document.section("simulation"))
        root = context.config.raw.root
        return Plan(slice=root, holds=root, inputs={}, work=lambda _: _simulate(context, settings, root))


def _simulate(context: Context, settings: SimulationSettings, root: str) -> Outcome:
    try:
        written = write_logs(context.spark, settings, root)
    except (FileExistsError, ValueError) as error:
        raise TrustlakeError(str(error)) from error
    for log in written:
        context.log.info(
            "%s: %s rows, %.0f s, planted %s", log.log, f"{log.rows:,}", log.seconds, log.planted
        )
    planted = sum((Counter(log.planted) for log in written), Counter[str]())
    dirt = " · ".join(f"{count:,} {kind}" for kind, count in planted.most_common())
    return Outcome(rows_out=sum(log.rows for log in written), result=f"planted {dirt}", place=root)


JOB = SimulateLogs


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
