"""Feature tables to proofs that no row has seen its own future, or a refusal that says which has, and what it saw."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import datetime

from pyspark.sql.types import BooleanType, NumericType

from features.declare import FeatureView
from features.labels import Label
from features.prove.finished import prove_table
from features.prove.report import Report
from features.prove.table import FEATURE_PROOFS, proof_rows
from features.prove.target import Target
from features.view import AS_OF
from jobs.arguments import instant
from jobs.event_sources import event_sources
from jobs.job import Context, Plan, console_command, run_job
from jobs.proofs import refuse_leaks, say, view_proofs
from lake.errors import SchemaError, TrustlakeError
from lake.runs import Outcome
from lake.seals import latest_seal


class ProveFeatures:
    """Reads ``features_<view>``, or any table with an ``as_of``, and events; writes ``feature_proofs``."""

    NAME = "prove_features"
    ABOUT = "Prove on a sample of rows that no feature has seen its row's future; refuse where one has."
    EXAMPLE = "prove_features --config conf/base.yml --config conf/marketplace.yml"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--as-of",
            type=instant,
            metavar="INSTANT",
            help="labels known before this are used (default: as far as features were built)",
        )
        parser.add_argument(
            "--table",
            metavar="NAME",
            help="a finished table with as_of, row id and keys of the view (default: what was built of each view)",
        )

    @staticmethod
    def plan(context: Context) -> Plan:
        as_of = context.arguments.as_of or latest_seal(context.lake)
        if as_of is None:
            raise TrustlakeError("no features were built yet; run build_features first, or say --as-of")
        proved = _tables(context)
        logs = {log for view in proved.values() for log in (*view.sources, *_label_logs(context, view))}
        tables = [*proved, *sorted(context.contracts[log].table for log in logs)]
        found = {table: context.lake.version(table) for table in tables}
        absent = [table for table, version in found.items() if version is None]
        if absent:
            raise TrustlakeError(
                f"{', '.join(absent)} does not exist; run ingest_logs and build_features first"
            )
        versions = {table: version for table, version in found.items() if version is not None}
        return Plan(
            slice=f"{', '.join(proved)} as of {as_of:%Y-%m-%dT%H:%M}",
            holds=", ".join(proved),
            inputs=versions,
            work=lambda key: _prove(context, proved, versions, as_of, key),
        )


def _tables(context: Context) -> dict[str, FeatureView]:
    """What is proved, and the view it is of."""
    views, named = context.definitions.views, context.arguments.table
    if named is None:
        return {view.table: view for view in views.values()}
    if len(views) != 1:
        raise SchemaError(
            f"definitions hold {len(views)} views; --table needs exactly one, to tell row id, keys and label by"
        )
    return dict.fromkeys([named], next(iter(views.values())))


def _labels(context: Context, view: FeatureView) -> tuple[Label, ...]:
    """What the features of a view are to foretell, by the first model that says so."""
    return next((model.labels for model in context.definitions.models.values() if model.view is view), ())


def _label_logs(context: Context, view: FeatureView) -> list[str]:
    return [label.source for label in _labels(context, view)]


def _prove(
    context: Context,
    proved: Mapping[str, FeatureView],
    versions: Mapping[str, int],
    as_of: datetime,
    key: str,
) -> Outcome:
    lake, reports = context.lake, {}
    for table, view in proved.items():
        reports[table] = _report(context, table, view, versions, as_of)
        say(context, table, reports[table])
    lake.ensure(FEATURE_PROOFS)
    written = [proof_rows(context.spark, key, table, report) for table, report in reports.items()]
    rows = written[0]
    for more in written[1:]:
        rows = rows.unionByName(more)
    lake.replace(FEATURE_PROOFS.name, rows, where=f"run_key = '{key}'")
    refuse_leaks(reports)
    made = [one for report in reports.values() for one in report.made]
    suspected = sum(len(report.findings) for report in reports.values())
    return Outcome(
        rows_in=max(one.rows for one in made),
        refused=0,
        result=f"{sum(bool(one.rows) for one in made)} of {len(made)} proofs made, no leak, {suspected} suspicions",
        place=FEATURE_PROOFS.name,
        outputs={FEATURE_PROOFS.name: lake.version(FEATURE_PROOFS.name)},
    )


def _report(
    context: Context, table: str, view: FeatureView, versions: Mapping[str, int], as_of: datetime
) -> Report:
    rows, labels = context.lake.read(table, version=versions[table]), _labels(context, view)
    if table == view.table:
        return view_proofs(context, view, rows, labels, as_of, versions).full()
    kept = {AS_OF, view.spine.row, *view.keys, *view.context}
    own = [column.name for column in view.spine.own if column.name in rows.columns]
    features = [
        field.name
        for field in rows.schema
        if field.name not in {*kept, *own} and isinstance(field.dataType, NumericType | BooleanType)
    ]
    told = event_sources(context.lake, context.contracts, [label.source for label in labels], versions)
    return prove_table(
        rows,
        view.spine.row,
        features,
        keys=view.keys,
        own=own,
        target=Target(labels, told, as_of) if labels else None,
        settings=context.config.training.proof,
    )


JOB = ProveFeatures


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
