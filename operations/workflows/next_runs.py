"""``trustlake schedule``: when each workflow runs next."""

from __future__ import annotations

import argparse
from datetime import UTC
from itertools import islice
from zoneinfo import ZoneInfo

from jobs.arguments import instant
from jobs.job import now
from operations.workflows.bundle_arguments import add_bundle_arguments, bundle_of
from operations.workflows.quartz import Quartz


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``trustlake schedule``."""
    add_bundle_arguments(parser, default_target="the default one of the file")
    parser.add_argument("--after", type=instant, metavar="INSTANT", help="(default: now)")
    parser.add_argument("--count", type=int, default=3, metavar="N", help="instants of each (default: 3)")


def run(arguments: argparse.Namespace) -> None:
    """Print the next instants of every schedule, the earliest first (UTC)."""
    bundle = bundle_of(arguments)
    found = []
    for key, job in bundle.jobs.items():
        schedule = job.at("schedule")
        if schedule.fields:
            quartz = Quartz.parse(schedule.at("quartz_cron_expression").text)
            fires = quartz.fires(arguments.after or now(), ZoneInfo(schedule.at("timezone_id").text))
            paused = "  paused" if schedule.at("pause_status").text == "PAUSED" else ""
            found += [(at.astimezone(UTC), key, paused) for at in islice(fires, arguments.count)]
    for at, key, paused in sorted(found):
        print(f"{at:%Y-%m-%d %H:%M} UTC  {key}{paused}")
