"""databricks.yml of one target: files included, target and variables put in, references replaced.

The rules are those of Databricks' command line (bundles, version 1.8 and later). What it would ask a workspace for
(who deploys, ids of resources) has names that say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

import yaml

from lake.documents import read_documents
from lake.errors import ConfigError
from operations.workflows.node import Node, merged
from operations.workflows.presets import with_presets
from operations.workflows.references import REFERENCE, References

FILE = "databricks.yml"
_BY_TARGET = {"artifacts", "bundle", "permissions", "presets", "resources", "run_as", "sync", "workspace"}
_TOP_LEVEL = _BY_TARGET | {"include", "scripts", "targets", "variables"}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as one target deploys it.

    Attributes:
        folder: where databricks.yml is.
        target: the target's name.
        mode: ``development``, ``production`` or empty.
        tree: everything in it, references replaced; ``targets`` and ``variables`` as they were written.
        mistakes: what is wrong with the files, each with file and line.
    """

    folder: Path
    target: str
    mode: str
    tree: Node
    mistakes: list[str] = field(default_factory=list)

    @property
    def jobs(self) -> Mapping[str, Node]:
        """The jobs by their keys."""
        return self.tree.at("resources", "jobs").fields


def load_bundle(
    folder: Path,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    deployer: str = "deployer",
) -> Bundle:
    """Read a bundle and resolve it for a target, the default one if none is named.

    Args:
        folder: the one that holds databricks.yml.
        target: a key of ``targets``.
        variables: values of variables, over those of the files.
        deployer: who deploys, by the name that the workspace has for them.

    Raises:
        ConfigError: a file is absent or no YAML, or there is no such target: nothing more can be said then.
    """
    mistakes: list[str] = []
    tree = _included(folder, _read(folder / FILE, mistakes), mistakes)
    mistakes += [
        f"{node.origin}: {key} is no section of a bundle; there are {', '.join(sorted(_TOP_LEVEL))}"
        for key, node in tree.fields.items()
        if key not in _TOP_LEVEL
    ]
    title = tree.at("bundle", "name")
    if not title.text or REFERENCE.search(title.text):
        mistakes.append(
            f"{title.origin}: bundle.name finds what was deployed before; give it one without variables"
        )
    name, chosen = _target(tree, target)
    mode = chosen.at("mode").text
    for section, node in chosen.fields.items():
        if section == "variables":
            tree = tree.with_field(section, _with_values(tree.at(section), node, mistakes))
        elif section not in {"mode", "default"}:
            tree = tree.with_field(section, merged(tree.at(section), node))
    tree = _workspace(folder, name, deployer, tree)
    values = _values(tree.at("variables"), variables or {}, mistakes)
    roots = {"bundle": tree.at("bundle"), "workspace": tree.at("workspace"), "var": values}
    resolved = {key: node for key, node in tree.fields.items() if key not in {"targets", "variables"}}
    early = References(roots, mistakes)
    known = early.replaced(Node(resolved, tree.origin), lambda first: first != "resources")
    known = with_presets(known, mode)
    late = References({"resources": known.at("resources")}, mistakes)
    kept = {key: tree.at(key) for key in ("targets", "variables")}
    whole = Node({**late.replaced(known).fields, **kept}, tree.origin)
    return Bundle(folder, name, mode, whole, mistakes)


def targets_of(folder: Path) -> list[str]:
    """The names of a bundle's targets.

    Raises:
        ConfigError: there is no databricks.yml, or it is no YAML, or it has no target.
    """
    targets = _read(folder / FILE, []).at("targets")
    if not targets.fields:
        raise ConfigError(
            [f"{targets.origin}: there are no targets; add one, such as dev: {{mode: development}}"]
        )
    return list(targets.fields)


def _read(path: Path, mistakes: list[str]) -> Node:
    documents = read_documents(path)
    if len(documents) != 1:
        raise ConfigError([f"{path}: expected one YAML document, found {len(documents)}"])
    mistakes += documents[0].mistakes
    return Node.of(documents[0])


def _included(folder: Path, root: Node, mistakes: list[str]) -> Node:
    """The root file with everything that it includes."""
    parts = [root]
    for pattern in root.at("include").items:
        found = sorted(folder.glob(pattern.text)) if pattern.text else []
        if not found:
            mistakes.append(f"{pattern.origin}: include {pattern.text} matches no file; correct it")
        parts += [_read(path, mistakes) for path in found]
    _say_same_names(parts, mistakes)
    return reduce(merged, parts[1:], root)


def _say_same_names(parts: list[Node], mistakes: list[str]) -> None:
    """A key stands for one resource, in all files and of all types."""
    seen: dict[str, Node] = {}
    for part in parts:
        for kind, resources in part.at("resources").fields.items():
            for key, node in resources.fields.items():
                if key in seen:
                    mistakes.append(
                        f"{node.origin}: {kind}.{key} has the key of another resource ({seen[key].origin}); rename one"
                    )
                seen[key] = node


def _target(tree: Node, wanted: str | None) -> tuple[str, Node]:
    targets = tree.at("targets").fields
    defaults = [name for name, node in targets.items() if node.at("default").value is True]
    chosen = wanted or (defaults[0] if len(defaults) == 1 else next(iter(targets), ""))
    if chosen not in targets:
        raise ConfigError(
            [
                f"{tree.at('targets').origin}: there is no target {chosen!r}; there are {', '.join(targets) or 'none'}"
            ]
        )
    return chosen, targets[chosen]


def _with_values(variables: Node, values: Node, mistakes: list[str]) -> Node:
    """Variables with the values that a target gives them."""
    for name, node in values.fields.items():
        if name not in variables.fields:
            mistakes.append(f"{node.origin}: variable {name} is not defined; define it under variables")
            continue
        given = node.at("default") if "default" in node.fields else node
        variables = variables.with_field(name, variables.at(name).with_field("default", given))
    return variables


def _values(variables: Node, given: Mapping[str, str], mistakes: list[str]) -> Node:
    """What each variable stands for."""
    mistakes += [
        f"--var {name}={value}: variable {name} is not defined; there are {', '.join(variables.fields) or 'none'}"
        for name, value in given.items()
        if name not in variables.fields
    ]
    values = {}
    for name, node in variables.fields.items():
        if name in given:
            # A number or a truth value is one here, too.
            values[name] = Node(yaml.safe_load(given[name]), f"--var {name}")
        elif "default" in node.fields:
            values[name] = node.at("default")
        else:
            mistakes.append(
                f"{node.origin}: variable {name} has no value; give it a default, a value in the target, or "
                f"BUNDLE_VAR_{name}"
            )
            values[name] = Node("", node.origin)
    return Node(values, variables.origin)


def _workspace(folder: Path, target: str, deployer: str, tree: Node) -> Node:
    """The bundle, with what the command line knows of the target and the workspace."""
    here, origin = tree.at("workspace"), tree.at("bundle").origin
    tree = tree.with_field("bundle", tree.at("bundle").with_field("target", Node(target, origin)))
    short = re.sub(r"\W", "_", deployer.partition("@")[0])
    user = Node({"userName": Node(deployer, origin), "short_name": Node(short, origin)}, origin)
    usual = {
        "root_path": f"/Workspace/Users/{deployer}/.bundle/${{bundle.name}}/${{bundle.target}}",
        # Where files are synchronised to; here they are what would be.
        "file_path": str(folder.resolve()),
    }
    for name, text in usual.items():
        if name not in here.fields:
            here = here.with_field(name, Node(text, origin))
    return tree.with_field("workspace", here.with_field("current_user", user))
