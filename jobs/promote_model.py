"""The gate: a candidate becomes champion, or is refused with reasons."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pyspark.sql import DataFrame

from jobs.copied_champion import copy_plan
from jobs.job import Context, Plan, console_command, run_job
from jobs.registry import registry_of
from jobs.training_sets import stored
from lake.errors import RefusedError, TrustlakeError
from lake.runs import Outcome
from training.artefact.load import load_booster
from training.champion import champion_on
from training.gate import decide
from training.judged import judge
from training.model import Model
from training.registry import CHALLENGER, CHAMPION, ModelRegistry
from training.splits import Fold
from training.training_run import FOLD, RUN_KEY


class PromoteModel:
    """Reads the registry and the candidate's stored test rows; moves the alias ``champion``."""

    NAME = "promote_model"
    ABOUT = "Let the challenger become champion if it passes the gate; refuse with reasons otherwise."
    EXAMPLE = "promote_model --config conf/base.yml --config conf/marketplace.yml"

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--version", type=int, metavar="N", help="the version (default: the challenger)")
        parser.add_argument(
            "--copy-of",
            metavar="MODEL",
            help="copy what passed the gate elsewhere (default: its champion)",
        )
        parser.add_argument(
            "--without-comparison",
            action="store_true",
            help="decide by absolute limits alone where features differ",
        )

    @staticmethod
    def plan(context: Context) -> Plan:
        model = context.definitions.only_model()
        registry = registry_of(context, model)
        if context.arguments.copy_of is not None:
            return copy_plan(context, model, registry)
        champion = registry.version_of(CHAMPION)
        version = context.arguments.version or registry.version_of(CHALLENGER) or champion
        if version is None:
            raise TrustlakeError(f"{registry.name} has no version; run train_model first")
        return Plan(
            slice=f"{model.name} v{version}",
            holds=model.name,
            inputs={registry.name: version},
            work=lambda _: _promote(context, model, registry, version),
        )


def _promote(context: Context, model: Model, registry: ModelRegistry, version: int) -> Outcome:
    if registry.version_of(CHAMPION) == version:
        registry.promote(version)  # a run that was killed half way may have left it challenger too
        return Outcome(result=f"{registry.name} v{version} is champion already", place=registry.name)
    rows = _test_rows(context, model, registry, version)
    testing = context.config.training.test
    booster, contract = load_booster(registry.uri(version))
    candidate = judge(rows, booster, testing)
    champion = champion_on(rows, registry, contract, testing)
    if champion and champion.predictions is None and not context.arguments.without_comparison:
        raise RefusedError(
            f"champion v{champion.version} was trained on definition {champion.definition_hash}, candidate "
            f"v{version} on {contract.definition_hash}, so they cannot score the same rows; "
            "judge by absolute limits alone with --without-comparison"
        )
    decision = decide(candidate, champion.predictions if champion else None, context.config.gate)
    registry.set_tags(version, decision.as_tags())
    if not decision.promoted:
        raise RefusedError(f"{registry.name} v{version} {decision}")
    registry.promote(version)
    return Outcome(
        rows_in=len(candidate),
        result=f"v{version} → {CHAMPION}: {'; '.join(decision.reasons)}",
        place=registry.name,
    )


def _test_rows(context: Context, model: Model, registry: ModelRegistry, version: int) -> DataFrame:
    """The rows the candidate was judged on, as its training stored them."""
    tags = registry.tags(version)
    if RUN_KEY not in tags or FOLD not in tags:
        raise RefusedError(
            f"{registry.name} v{version} was not registered by train_model, so it cannot be judged"
        )
    kept = stored(context, model, tags[RUN_KEY])
    return kept.test_rows(Fold.from_json(tags[FOLD]))


JOB = PromoteModel


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job; see ``--help``."""
    run_job(JOB, argv)


command = console_command(main)

if __name__ == "__main__":
    command()
