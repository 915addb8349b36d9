"""A finished training's rows built again from the tables, and held against those that were stored."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pyspark.sql import Row
from pyspark.sql import functions as F

from jobs.arguments import instant
from jobs.job import Context, Plan, console_command, run_job
from jobs.train_model import TrainModel
from jobs.training_sets import built, slice_of, stored, tables_of
from lake.errors import RefusedError, TrustlakeError
from lake.runs import DONE, RUNS, Outcome
from training.model import Model
from training.rebuilt import unequal_rows
from training.training_set import table_spec


class RebuildTrainingSet:
    """Reads ``runs``, ``training_<model>``, ``features_<view>`` and labels; writes nothing."""

    NAME = "rebuild_training_set"
    ABOUT = "Build a finished training's rows again, and refuse where they are not the same to the bit."
    EXAMPLE = "rebuild_training_set --config conf/base.yml --config conf/marketplace.yml --as-of 2026-09-04"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--as-of", type=instant, required=True, metavar="INSTANT", help="the training's --as-of"
        )
        parser.add_argument(
            "--newest-labels",
            action="store_true",
            help="read labels as they are now, with what came since, and not as the training did",
        )

    @staticmethod
    def plan(context: Context) -> Plan:
        model = context.definitions.only_model()
        training = _training(context, model)
        tables = {table: int(training["inputs"][table]) for table in tables_of(context, model)}
        if context.arguments.newest_labels:
            tables |= {table: context.lake.version(table) or 0 for table in tables_of(context, model)[1:]}
        return Plan(
            slice=training["slice"],
            holds=model.name,
            inputs=dict(tables) | {"training": training["run_key"]},
            work=lambda _: _compare(context, model, tables, training["run_key"]),
        )


def _training(context: Context, model: Model) -> Row:
    """The last finished training at the instant."""
    wanted = slice_of(model, context.arguments.as_of)
    if context.lake.exists(RUNS.name):
        of_training = (
            (F.col("job") == TrainModel.NAME) & (F.col("state") == DONE) & (F.col("slice") == wanted)
        )
        found = context.lake.read(RUNS.name).where(of_training).orderBy(F.col("finished_at").desc()).head()
        if found is not None:
            return found
    raise TrustlakeError(f"no training {wanted} has ended; `runs` lists those that have, by slice")


def _compare(context: Context, model: Model, tables: dict[str, int], key: str) -> Outcome:
    rows = stored(context, model, key).rows
    total, differing = rows.count(), unequal_rows(rows, built(context, model, tables, key))
    if differing:
        read = ", ".join(f"{table} version {version}" for table, version in tables.items())
        raise RefusedError(
            f"{differing:,} rows are not as the training stored them ({total:,} in {table_spec(model.name).name}), "
            f"built from {read}. Rows of erased persons are gone; else the definitions or `training.test` have changed"
        )
    return Outcome(rows_in=total, result=f"{total:,} rows are the same to the bit, built again")


JOB = RebuildTrainingSet


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
