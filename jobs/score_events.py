"""Feature rows to scores: the champion over a range of days."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, time

from pyspark.sql import functions as F

from features.view import AS_OF, DEFINITION
from jobs.arguments import day
from jobs.job import Context, Plan, console_command, run_job
from jobs.registry import registry_of
from lake.errors import RefusedError, TrustlakeError
from lake.runs import Outcome
from scoring.scorer import check_definition, check_offered, score
from scoring.tables import scores
from training.artefact.load import load_booster
from training.model import Model
from training.registry import CHAMPION


class ScoreEvents:
    """Reads ``features_<view>`` and the registry; writes ``scores_<model>``."""

    NAME = "score_events"
    ABOUT = "Score the feature rows of a range of days with the champion."
    EXAMPLE = (
        "score_events --config conf/base.yml --config conf/marketplace.yml --from 2026-09-04 --to 2026-09-18"
    )

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--from", dest="begin", type=day, required=True, metavar="DAY", help="first day")
        parser.add_argument(
            "--to", dest="end", type=day, required=True, metavar="DAY", help="day after the last"
        )

    @staticmethod
    def plan(context: Context) -> Plan:
        model = context.definitions.only_model()
        registry = registry_of(context, model)
        version = registry.version_of(CHAMPION)
        if version is None:
            raise RefusedError(f"{registry.name} has no champion; run train_model, then promote_model")
        features = context.lake.version(model.view.table)
        if features is None:
            raise TrustlakeError(f"{model.view.table} does not exist; run build_features first")
        begin, end = context.arguments.begin, context.arguments.end
        return Plan(
            slice=f"{model.name} {begin} to {end}",
            holds=model.name,
            inputs={model.view.table: features, registry.name: version},
            work=lambda key: _score(context, model, version, features, key),
        )


def _score(context: Context, model: Model, version: int, features: int, key: str) -> Outcome:
    lake, registry, table = context.lake, registry_of(context, model), model.view.table
    booster, contract = load_booster(registry.uri(version))
    begin, end = (
        datetime.combine(on, time(), UTC) for on in (context.arguments.begin, context.arguments.end)
    )
    where = f"{AS_OF} >= timestamp '{begin.isoformat()}' AND {AS_OF} < timestamp '{end.isoformat()}'"
    rows = lake.read(table, version=features).where(where)
    check_offered(contract, dict(rows.dtypes), table=table)
    check_definition(contract, rows, table=table)
    spec = scores(model.name)
    lake.ensure(spec)
    scored = score(rows, booster, contract).select(
        AS_OF,
        F.col(contract.row_id).alias("row_id"),
        "score",
        F.lit(registry.name).alias("model"),
        F.lit(version).alias("model_version"),
        F.lit(contract.definition_hash).alias(DEFINITION),
        F.lit(features).cast("long").alias("features_version"),
        F.lit(lake.stamp.code_version).alias("code_version"),
        F.lit(key).alias("run_key"),
    )
    lake.replace(spec.name, scored, where=where)
    rows_in, rows_out = rows.count(), lake.read(spec.name).where(where).count()
    if rows_in != rows_out:
        raise TrustlakeError(
            f"{spec.name} got {rows_out} scores for {rows_in} rows; report this with the run's id"
        )
    if rows_in == 0:
        context.log.warning("%s has no rows in this range; nothing was scored", table)
    return Outcome(
        rows_in=rows_in,
        rows_out=rows_out,
        refused=0,
        result=f"{registry.name} v{version}",
        place=spec.name,
        outputs={spec.name: lake.version(spec.name)},
    )


JOB = ScoreEvents


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
