"""References (``${var.x}``, ``${resources.jobs.y.id}``): replaced by what they name, each as often as it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from operations.workflows.node import Node

REFERENCE = re.compile(r"\$\{([a-zA-Z_][\w.\[\]-]*)\}")
# Longer chains are circles.
_DEEPEST = 20

# What a workspace gives a resource when it is deployed, as far as names alone tell it.
_COMPUTED: Mapping[str, Mapping[str, str]] = {
    "schemas": {"id": "{catalog_name}.{name}"},
    "volumes": {
        "id": "{catalog_name}.{schema_name}.{name}",
        "volume_path": "/Volumes/{catalog_name}/{schema_name}/{name}",
    },
    "registered_models": {"id": "{catalog_name}.{schema_name}.{name}"},
}
_GIVEN_LATER = ("id", "url")


class References:
    """Replaces the references of a bundle; what it cannot replace becomes a mistake, once.

    Args:
        roots: what stands behind the first word of a reference: ``bundle``, ``workspace``, ``var``, ``resources``.
        mistakes: where mistakes go.
    """

    def __init__(self, roots: Mapping[str, Node], mistakes: list[str]) -> None:
        self._roots = roots
        self._mistakes = mistakes

    def replaced(self, node: Node, is_due: Callable[[str], bool] = lambda _: True, depth: int = 0) -> Node:
        """``node`` without the references of which ``is_due`` is true of the first word."""
        if isinstance(node.value, dict):
            fields = {key: self.replaced(item, is_due, depth) for key, item in node.fields.items()}
            return Node(fields, node.origin)
        if isinstance(node.value, list):
            return Node([self.replaced(item, is_due, depth) for item in node.items], node.origin)
        return self._text(node, is_due, depth) if isinstance(node.value, str) else node

    def _text(self, node: Node, is_due: Callable[[str], bool], depth: int) -> Node:
        if not any(is_due(name.split(".")[0]) for name in references(node.text)):
            return node
        if depth > _DEEPEST:
            self._say(f"{node.origin}: {node.text} refers to itself in a circle; give it a value")
            return Node(None, node.origin)
        alone = REFERENCE.fullmatch(node.text)
        if alone is not None:
            found = self._found(alone[1], node)
            # It stands where the reference does: that is what can be mended here.
            return self.replaced(_standing_at(node.origin, found), is_due, depth + 1)

        def written(match: re.Match[str]) -> str:
            if not is_due(match[1].split(".")[0]):
                return match[0]
            found = self._found(match[1], node)
            if isinstance(found.value, (dict, list)):
                self._say(
                    f"{node.origin}: {match[0]} is no text, and stands inside of one; let it stand alone"
                )
            return found.text

        return self.replaced(Node(REFERENCE.sub(written, node.text), node.origin), is_due, depth + 1)

    def _found(self, name: str, node: Node) -> Node:
        first, *keys = name.split(".")
        here, seen = self._roots.get(first, Node(None, node.origin)), [first]
        if first == "resources" and len(keys) > 2:  # noqa: PLR2004 - type, key, then fields
            here = _with_computed(here, *keys[:2])
        for key in keys:
            if key not in here.fields:
                return self._absent(name, node, here, seen)
            here = here.at(key)
            seen.append(key)
        return here

    def _absent(self, name: str, node: Node, here: Node, seen: list[str]) -> Node:
        near = get_close_matches(name.split(".")[len(seen)] if "." in name else name, list(here.fields), 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(here.fields) or 'none'}"
        self._say(f"{node.origin}: ${{{name}}} is not defined: {'.'.join(seen)} has no such key{hint}")
        return Node("", node.origin)

    def _say(self, mistake: str) -> None:
        if mistake not in self._mistakes:
            self._mistakes.append(mistake)


def references(text: str) -> Iterator[str]:
    """The names in ``${...}`` of a text."""
    return (match[1] for match in REFERENCE.finditer(text))


def _with_computed(resources: Node, kind: str, key: str) -> Node:
    """The resources, with what a workspace adds to one of them."""
    resource = resources.at(kind, key)
    if not resource.fields:
        return resources
    computed = {name: f"<{name} of {kind}.{key}>" for name in _GIVEN_LATER}
    parts = {name: resource.at(name).text for name in ("catalog_name", "schema_name", "name")}
    computed |= {name: pattern.format(**parts) for name, pattern in _COMPUTED.get(kind, {}).items()}
    for name, text in computed.items():
        resource = resource.with_field(name, Node(text, resource.origin))
    return resources.with_field(kind, resources.at(kind).with_field(key, resource))


def _standing_at(origin: str, node: Node) -> Node:
    if isinstance(node.value, dict):
        return Node({key: _standing_at(origin, item) for key, item in node.fields.items()}, origin)
    if isinstance(node.value, list):
        return Node([_standing_at(origin, item) for item in node.items], origin)
    return Node(node.value, origin)
