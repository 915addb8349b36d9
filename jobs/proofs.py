"""Leakage proofs of a view's table in a lake: what they read, what is said of them, and the refusal where one fails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pyspark.sql import DataFrame

from features.declare import FeatureView
from features.labels import Label
from features.prove.declared import ViewProofs
from features.prove.report import Report
from jobs.event_sources import event_sources
from jobs.job import Context
from lake.errors import RefusedError
from training.model import Model

_SHOWN = 3


def view_proofs(
    context: Context,
    view: FeatureView,
    rows: DataFrame,
    labels: tuple[Label, ...],
    known_before: datetime,
    versions: Mapping[str, int],
) -> ViewProofs:
    """The proofs of some rows of a view's table."""
    logs = dict.fromkeys([*view.sources, *(label.source for label in labels)])
    sources = event_sources(context.lake, context.contracts, logs, versions)
    return ViewProofs(
        view=view,
        rows=rows,
        sources=sources,
        labels=labels,
        known_before=known_before,
        settings=context.config.training.proof,
    )


def say(context: Context, table: str, report: Report) -> None:
    """One line a proof, then one a finding."""
    for line in report.lines():
        context.log.info("%s: %s", table, line)


def refuse_leaks(reports: Mapping[str, Report]) -> None:
    """Refuse what has seen the future.

    Raises:
        RefusedError: names feature, row and source event of each leak, as far as a message holds them.
    """
    leaks = [f"\n  {table}: {leak}" for table, report in reports.items() for leak in report.leaks]
    if leaks:
        more = f"\n  and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
        where = "prove_features writes every finding to the table feature_proofs"
        head = "1 leak" if len(leaks) == 1 else f"{len(leaks)} leaks"
        raise RefusedError(f"{head} in features; {where}:{''.join(leaks[:_SHOWN])}{more}")


def prove_before_training(
    context: Context, model: Model, rows: DataFrame, versions: Mapping[str, int]
) -> None:
    """The gate before a training: the quick proofs, on a sample of the rows it is to see.

    Raises:
        RefusedError: a leak was found.
    """
    table, as_of = model.view.table, context.arguments.as_of
    report = view_proofs(context, model.view, rows, model.labels, as_of, versions).before_training()
    say(context, table, report)
    refuse_leaks({table: report})
