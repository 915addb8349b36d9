"""The bundle itself: who deploys it and where to, what is built and copied, and that it holds nothing private."""

from __future__ import annotations

import re
from collections.abc import Iterator

from operations.workflows.bundle import Bundle
from operations.workflows.node import Node
from operations.workflows.presets import DEVELOPMENT, PRODUCTION

_MODES = frozenset({"", DEVELOPMENT, PRODUCTION})
_LEVELS = frozenset({"CAN_MANAGE", "CAN_VIEW", "CAN_RUN"})
_ENGINE = "direct"
_PRIVATE = (
    (re.compile(r"\bdapi[0-9a-f]{32}\b"), "a token"),
    (
        re.compile(r"https://[\w.-]+\.(cloud\.databricks\.com|azuredatabricks\.net|gcp\.databricks\.com)"),
        "a host",
    ),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "the address of a person"),
)
# They run as whoever deploys, and nobody else.
_AS_DEPLOYER = ("quality_monitors", "model_serving_endpoints", "apps")


def check_deployment(bundle: Bundle) -> Iterator[str]:
    """Mistakes in what surrounds the resources."""
    yield from _target(bundle)
    yield from _copied(bundle)
    yield from _identity(bundle)
    for leaf in bundle.tree.leaves():
        for pattern, what in _PRIVATE:
            if pattern.search(leaf.text):
                yield f"{leaf.origin}: {what} stands here; take it from the environment, a profile or a secret scope"


def _target(bundle: Bundle) -> Iterator[str]:
    tree = bundle.tree
    mode = tree.at("targets", bundle.target, "mode")
    if mode.text not in _MODES:
        yield f"{mode.origin}: mode is {mode.text!r}; there are {DEVELOPMENT} and {PRODUCTION}"
    engine = tree.at("bundle", "engine")
    if engine.text != _ENGINE:
        yield f"{engine.origin}: engine is {engine.text!r}; write {_ENGINE}, terraform is given up"
    host = tree.at("workspace", "host")
    if host.text:
        yield f"{host.origin}: a host stands here; take it from the environment or a profile"


def _copied(bundle: Bundle) -> Iterator[str]:
    tree = bundle.tree
    for pattern in tree.at("sync", "exclude").items:
        if not any(True for _ in bundle.folder.glob(pattern.text.rstrip("/"))):
            yield f"{pattern.origin}: sync.exclude {pattern.text} matches nothing; correct or remove it"
    for key, artifact in tree.at("artifacts").fields.items():
        path = artifact.at("path")
        if not (bundle.folder / path.text / "setup.py").is_file():
            yield f"{path.origin}: artifacts.{key} is built in {path.text!r}, which has no setup.py; correct it"
        if artifact.at("dynamic_version").value is not True:
            yield f"{artifact.origin}: artifacts.{key}: clusters keep a wheel that they have; add dynamic_version: true"


def _identity(bundle: Bundle) -> Iterator[str]:
    tree, run_as = bundle.tree, bundle.tree.at("run_as")
    permissions = tree.at("permissions").items
    for level in (entry.at("level") for entry in permissions):
        if level.text not in _LEVELS:
            yield f"{level.origin}: {level.text!r} is no level; there are {', '.join(sorted(_LEVELS))}"
    for kind in _AS_DEPLOYER:
        found = tree.at("resources", kind)
        if run_as.fields and found.fields:
            yield f"{run_as.origin}: run_as differs from who deploys, and {kind} cannot; deploy as that principal"
    root = tree.at("workspace", "root_path")
    if root.text.startswith("/Workspace/Shared") and not _may(
        permissions, "group_name", "users", "CAN_MANAGE"
    ):
        yield f"{root.origin}: everybody can write under /Workspace/Shared; take the home of the service principal"
    if bundle.mode != PRODUCTION:
        return
    if "root_path" not in tree.at("targets", bundle.target, "workspace").fields:
        yield f"{tree.at('targets', bundle.target).origin}: production needs workspace.root_path, one place for all"
    deployer = tree.at("workspace", "current_user", "userName").text
    names = ("service_principal_name", "user_name")
    if not any(_may(permissions, name, deployer, "CAN_MANAGE") for name in names):
        origin = tree.at("targets", bundle.target).origin
        yield (
            f"{origin}: who deploys is not among permissions, and could not do it again; add "
            '{service_principal_name: "${workspace.current_user.userName}", level: CAN_MANAGE}'
        )


def _may(permissions: object, who: str, name: str, level: str) -> bool:
    entries = permissions if isinstance(permissions, list) else []
    return any(
        isinstance(entry, Node) and entry.at(who).text == name and entry.at("level").text == level
        for entry in entries
    )
