"""Features and labels to a registered candidate: sweep, fit, judge on later days, log, register."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from jobs.arguments import instant
from jobs.job import Context, Plan, console_command, run_job
from jobs.label_maturity import measure_maturity
from jobs.lineage_table import write_model_lineage
from jobs.proofs import prove_before_training
from jobs.registry import connect, experiment_id, registry_of
from jobs.sweep_progress import SweepProgress
from jobs.training_sets import feature_rows, slice_of, store, tables_of
from lake.errors import TrustlakeError
from lake.runs import Outcome
from training.champion import champion_on
from training.judged import Judged
from training.maturity.table import LABEL_MATURITY
from training.model import Model
from training.quality_table import MODEL_QUALITY, quality_rows
from training.registry import CHALLENGER
from training.review.describe import RANDOM_SPLIT
from training.review.links import UiLinks
from training.splits import split
from training.stored_table import StoredTable
from training.sweep.child_runs import ChildRuns
from training.train import contract_of, train
from training.training_run import FOLD, RUN_KEY, Candidate, log_candidate, open_run
from training.training_set import table_spec
from training.unwritable import writing_to_mlflow


class TrainModel:
    """Reads ``features_<view>`` and labels; writes ``training_<model>``, ``model_quality``, ``lineage`` and MLflow."""

    NAME = "train_model"
    ABOUT = "Tune, train and register a candidate with what was known at an instant."
    EXAMPLE = "train_model --config conf/base.yml --config conf/marketplace.yml --as-of 2026-09-04"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--as-of",
            type=instant,
            required=True,
            metavar="INSTANT",
            help="labels known before this are used",
        )

    @staticmethod
    def plan(context: Context) -> Plan:
        model = context.definitions.only_model()
        inputs: dict[str, int | str] = {}
        for table in tables_of(context, model):
            version = context.lake.version(table)
            if version is None:
                raise TrustlakeError(f"{table} does not exist; run ingest_logs and build_features first")
            inputs[table] = version
        return Plan(
            slice=slice_of(model, context.arguments.as_of),
            holds=model.name,
            inputs=inputs,
            work=lambda key: _train(context, model, {name: int(v) for name, v in inputs.items()}, key),
        )


def _train(context: Context, model: Model, tables: dict[str, int], key: str) -> Outcome:
    settings = context.config.training
    folds = split(context.arguments.as_of, settings.split, model.matures_after)
    if settings.split.random_parts is not None:
        context.log.warning("%s", RANDOM_SPLIT)
    prove_before_training(context, model, feature_rows(context, model, tables), tables)
    stored, spec = store(context, model, tables, key), table_spec(model.name)
    client = connect(context.config.mlflow)
    experiment = experiment_id(client, context.config.mlflow)
    registry, links = registry_of(context, model), UiLinks(context.config.mlflow.tracking)
    with open_run(client, experiment, key, f"{model.name} {context.arguments.as_of:%Y-%m-%d}") as run_id:
        measure_maturity(context, model, stored.rows, registry.name, key)
        winner, judged = train(
            stored,
            model,
            folds,
            settings,
            runs=ChildRuns(client, experiment, run_id),
            on_trial=SweepProgress(context.log, settings.sweep, len(folds.stages)),
            on_fold=partial(_on_fold, context, set()),
        )
        types = dict(context.lake.read(model.view.table).dtypes)
        contract = contract_of(model, registry.name, types, context.lake.stamp.code_version, judged[-1])
        candidate = Candidate(
            contract=contract,
            champion=champion_on(stored.test_rows(folds.last), registry, contract, settings.test),
            winner=winner,
            folds=judged,
            tables=tables | {spec.name: context.lake.version(spec.name) or 0},
        )
        with writing_to_mlflow("the model", "its trials are kept"):
            description = log_candidate(
                candidate, settings.metrics, _stored_table(context, spec.name), links, experiment, run_id
            )
    _store_quality(context, registry.name, judged, key)
    version = registry.register(
        run_id, tags={RUN_KEY: key, FOLD: judged[-1].fold.to_json()}, description=description
    )
    write_model_lineage(context.lake, model.view, registry.name, version)
    registry.set_alias(CHALLENGER, version)
    final = judged[-1]
    context.log.info("candidate %s v%d: %s", registry.name, version, links.run(experiment, run_id))
    return Outcome(
        rows_in=final.fit.train_rows,
        result=f"v{version} with the parameters of trial {winner.number + 1}, average precision "
        f"{final.evaluation['average_precision']}, ROC-AUC {final.evaluation['roc_auc']}",
        place=links.run(experiment, run_id),
        outputs={
            name: context.lake.version(name)
            for name in (table_spec(model.name).name, LABEL_MATURITY.name, MODEL_QUALITY.name)
        },
    )


def _on_fold(context: Context, said: set[str], judged: Judged) -> None:
    for part, states in judged.states.items():
        counted = ", ".join(f"{rows:,} {name}" for name, rows in states.items() if rows)
        context.log.info("fold %s: %s rows by their label: %s", judged.fold, part, counted or "none")
    context.log.info(
        "fold %s: average precision %s, ROC-AUC %s, %s",
        *(
            judged.fold,
            judged.evaluation["average_precision"],
            judged.evaluation["roc_auc"],
            judged.why_workers,
        ),
    )
    seen, features = judged.fit.seen, context.definitions.only_model().view.features
    for remark in seen.remarks(features) if seen else ():
        if remark not in said:
            context.log.warning("features with %s", remark)
            said.add(remark)


def _stored_table(context: Context, name: str) -> StoredTable:
    lake = context.lake
    return StoredTable(name, lake.version(name) or 0, root=lake.settings.root, place=lake.place(name))


def _store_quality(context: Context, name: str, judged: Sequence[Judged], key: str) -> None:
    context.lake.ensure(MODEL_QUALITY)
    folds = {str(one.fold): one.evaluation for one in judged}
    rows = quality_rows(context.spark, key, name, folds)
    context.lake.replace(MODEL_QUALITY.name, rows, where=f"run_key = '{key}'")


JOB = TrainModel


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
