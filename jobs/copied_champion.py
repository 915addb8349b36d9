"""A champion of one environment becomes that of another: the version is copied from catalog to catalog."""

from __future__ import annotations

from features.definition_hash import definition_hash
from jobs.job import Context, Plan
from jobs.registry import registry_of
from lake.errors import ConfigError, RefusedError
from lake.runs import Outcome
from training.artefact.load import load_booster
from training.gate import PASSED, VERDICT
from training.model import Model
from training.registry import CHAMPION, ModelRegistry


def copy_plan(context: Context, model: Model, registry: ModelRegistry) -> Plan:
    """What ``promote_model --copy-of`` does.

    Raises:
        ConfigError: the other name is this one, or the arguments ask for a judgement too.
        RefusedError: the other name has no champion, and no version was named.
    """
    arguments = context.arguments
    other = registry_of(context, model, arguments.copy_of)
    if other.name == registry.name:
        raise ConfigError(
            [f"--copy-of {other.name} is the model of this environment; leave it out to judge its versions"]
        )
    if arguments.without_comparison:
        raise ConfigError(
            ["--copy-of judges nothing, so that --without-comparison means nothing; leave one out"]
        )
    version = arguments.version or other.version_of(CHAMPION)
    if version is None:
        raise RefusedError(
            f"{other.name} has no {CHAMPION}; promote a version there first, or name one by --version"
        )
    return Plan(
        slice=f"{model.name} of {other.name} v{version}",
        holds=model.name,
        inputs={other.uri(version): version, registry.name: registry.version_of(CHAMPION) or 0},
        work=lambda _: _copied(model, registry, other, version),
    )


def _copied(model: Model, registry: ModelRegistry, other: ModelRegistry, version: int) -> Outcome:
    verdict = other.tags(version).get(VERDICT)
    if verdict != PASSED:
        raise RefusedError(
            f"{other.name} v{version} was {verdict or 'never judged'} there; "
            "run promote_model in its own environment first"
        )
    _, contract = load_booster(other.uri(version))
    here = definition_hash(model.view)
    if contract.definition_hash != here:
        raise RefusedError(
            f"{other.name} v{version} was trained on definition {contract.definition_hash} of {contract.view}, "
            f"here it is {here}, and its scores would be of other features; deploy the commit it was trained by"
        )
    number = registry.copy(other, version)
    registry.promote(number)
    return Outcome(
        result=f"{other.name} v{version} → {registry.name} v{number}, {CHAMPION}", place=registry.name
    )
