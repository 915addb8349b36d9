"""Everything that can be wrong in a bundle and be found without a workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

from operations.workflows.bundle import Bundle, load_bundle
from operations.workflows.checks.clusters import check_clusters
from operations.workflows.checks.commands import check_commands
from operations.workflows.checks.deployment import check_deployment
from operations.workflows.checks.environments import check_environments
from operations.workflows.checks.fields import check_fields
from operations.workflows.checks.graph import check_graph
from operations.workflows.checks.runs import check_runs
from operations.workflows.checks.storage import check_storage

_CHECKS: tuple[Callable[[Bundle], Iterator[str]], ...] = (
    check_fields,
    check_graph,
    check_commands,
    check_environments,
    check_runs,
    check_storage,
    check_deployment,
)


def mistakes_of(folder: Path, target: str | None, variables: Mapping[str, str], on: date) -> list[str]:
    """Every mistake of a bundle as a target deploys it, each with file, line and what to do; in no order twice.

    Args:
        folder: the one that holds databricks.yml.
        target: the default one where None.
        variables: values over those of the files.
        on: the day on which runtimes are to be in support.

    Raises:
        ConfigError: the files cannot be read, or there is no such target.
    """
    bundle = load_bundle(folder, target, variables)
    found = list(bundle.mistakes)
    for check in _CHECKS:
        found += check(bundle)
    found += check_clusters(bundle, on)
    return list(dict.fromkeys(found))
