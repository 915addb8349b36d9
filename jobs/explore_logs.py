"""Events to a profile of each log: an HTML page with its columns, days and label rates, kept in MLflow."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path

import mlflow
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.arguments import add_range
from jobs.event_sources import event_sources
from jobs.job import Context, Plan, console_command, run_job
from jobs.known_until import known_until
from jobs.registry import connect, experiment_id
from lake.errors import TrustlakeError
from lake.runs import Outcome
from training.known_labels import can_label_events
from training.model import Model
from training.profile.page import page
from training.profile.profile import Labelling, Profile, figures_and_counts
from training.profile.volume_plot import draw_volume
from training.review.links import UiLinks
from training.training_run import open_run


class ExploreLogs:
    """Reads ``events_*``; writes a page and a figure for each log to MLflow."""

    NAME = "explore_logs"
    ABOUT = "Describe what logs hold: columns, days, and label rates by slice, as HTML pages in MLflow."
    EXAMPLE = "explore_logs --config conf/base.yml --config conf/marketplace.yml --log payments"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--log", action="append", metavar="LOG", help="a log to describe (default: all)")
        add_range(parser, "events")
        parser.add_argument("--out", metavar="FOLDER", help="write the pages there too")

    @staticmethod
    def plan(context: Context) -> Plan:
        logs = _logs(context)
        read = {log: _versions(context, log) for log in logs}
        return Plan(
            slice=f"{', '.join(logs)}; {_span(context)}",
            holds=f"{', '.join(logs)}; {_span(context)}",
            inputs={table: version for versions in read.values() for table, version in versions.items()},
            work=lambda key: _explore(context, read, key),
        )


def _logs(context: Context) -> list[str]:
    """The logs that are named, or all that were ingested."""
    named = context.arguments.log or []
    unknown = [log for log in named if log not in context.contracts]
    if unknown:
        raise TrustlakeError(
            f"no contract declares the log {', '.join(unknown)}; there are {', '.join(sorted(context.contracts))}"
        )
    there = [log for log, one in context.contracts.items() if context.lake.exists(one.table)]
    absent = [log for log in named if log not in there]
    if absent or not there:
        raise TrustlakeError(f"{', '.join(absent) or 'no log'} was ingested yet; run ingest_logs first")
    return list(dict.fromkeys(named)) or there


def _model(context: Context, log: str) -> Model | None:
    """The first model that describes events of the log and whose label logs were ingested."""
    for model in context.definitions.models.values():
        is_of_log = model.view.spine.source == log and can_label_events(model)
        tables = [context.contracts[label.source].table for label in model.labels]
        if is_of_log and all(context.lake.exists(table) for table in tables):
            return model
    return None


def _versions(context: Context, log: str) -> dict[str, int]:
    """The tables that a log's profile is made of, with their versions."""
    model = _model(context, log)
    sources = [log, *(label.source for label in model.labels)] if model else [log]
    found = {
        table: context.lake.version(table) for table in (context.contracts[one].table for one in sources)
    }
    return {table: version for table, version in found.items() if version is not None}


def _span(context: Context) -> str:
    begin, end = context.arguments.begin, context.arguments.end
    parts = [f"from {begin}" if begin else "", f"before {end}" if end else ""]
    return "events " + (" ".join(part for part in parts if part) or "of all days")


def _explore(context: Context, read: Mapping[str, Mapping[str, int]], key: str) -> Outcome:
    settings = context.config.mlflow
    client = connect(settings)
    experiment, links = experiment_id(client, settings), UiLinks(settings.tracking)
    rows = 0
    with open_run(client, experiment, key, f"logs: {', '.join(read)}") as run_id:
        for log, versions in read.items():
            profile = _profile(context, log, versions)
            text = page(profile)
            mlflow.log_text(text, f"explore/{log}.html")
            mlflow.log_figure(draw_volume(log, profile.counts.days), f"explore/{log}_days.png")
            if context.arguments.out:
                _write(Path(context.arguments.out), log, text)
            rows += profile.rows
            context.log.info("%s: %s rows, %d columns", log, f"{profile.rows:,}", len(profile.columns))
    place = links.run(experiment, run_id)
    context.log.info("pages: %s", place)
    return Outcome(rows_in=rows, result=f"{len(read)} logs described", place=place)


def _profile(context: Context, log: str, versions: Mapping[str, int]) -> Profile:
    contract, model = context.contracts[log], _model(context, log)
    whole = context.lake.read(contract.table, version=versions[contract.table])
    labelling = None
    if model is not None:
        logs = [label.source for label in model.labels]
        told = event_sources(context.lake, context.contracts, logs, versions)
        until = known_until([whole, *(source.rows for source in told.values())])
        labelling = Labelling(model, told, until)
    columns = ("event_at", "known_at", *(name for name in contract.columns if name in whole.columns))
    events = _in_range(context, whole.select(*columns))
    rows, figures, counted = figures_and_counts(events, labelling)
    return Profile(
        log=log,
        about=contract.description,
        read=versions,
        span=_span(context),
        rows=rows,
        columns=figures,
        counts=counted,
        labels=_in_words(labelling),
    )


def _in_range(context: Context, events: DataFrame) -> DataFrame:
    begin, end = (
        day and datetime.combine(day, time(), UTC) for day in (context.arguments.begin, context.arguments.end)
    )
    if begin:
        events = events.where(F.col("event_at") >= F.lit(begin))
    return events.where(F.col("event_at") < F.lit(end)) if end else events


def _in_words(labelling: Labelling | None) -> str:
    if labelling is None:
        return ""
    model, until = labelling.model, labelling.known_before
    kept = f" and fulfil {model.view.spine.where}" if model.view.spine.where else ""
    said = " or ".join(f"{label.source} say with {label.fraud}" for label in model.labels)
    return (
        f"Fraud is what {said}, known before {until:%Y-%m-%d %H:%M} UTC. "
        f"Only settled rows count: those whose labels have matured, which happened before "
        f"{labelling.settled_before:%Y-%m-%d %H:%M} UTC{kept}."
    )


def _write(folder: Path, log: str, text: str) -> None:
    """Write the page whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / f".{log}.html"
    begun.write_text(text, encoding="utf-8")
    begun.replace(folder / f"{log}.html")


JOB = ExploreLogs


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
