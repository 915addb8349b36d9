"""Values of a bundle that know where they were written, and how the values of one file come over those of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lake.documents import Document, Keys

# What tells the items of a list apart, by the key that holds the list: the same item in two places is merged.
_IDENTITY = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "environments": "environment_key",
    "parameters": "name",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping, a list or a plain value, and the file and line that it was written in."""

    value: object
    origin: str

    @classmethod
    def of(cls, document: Document) -> Node:
        """The whole of a document."""
        return cls._at(document.tree, document, ())

    @classmethod
    def made(cls, value: object, origin: str) -> Node:
        """A plain value, all of which comes from one place."""
        if isinstance(value, dict):
            return cls({key: cls.made(item, origin) for key, item in value.items()}, origin)
        if isinstance(value, list):
            return cls([cls.made(item, origin) for item in value], origin)
        return cls(value, origin)

    @classmethod
    def _at(cls, value: object, document: Document, keys: Keys) -> Node:
        held = value
        if isinstance(value, dict):
            held = {key: cls._at(item, document, (*keys, key)) for key, item in value.items()}
        elif isinstance(value, list):
            held = [cls._at(item, document, (*keys, index)) for index, item in enumerate(value)]
        elif isinstance(value, str):
            held = str(value)
        return cls(held, str(document.origin(keys)))

    @property
    def fields(self) -> Mapping[str, Node]:
        """The values of a mapping by their keys; none of anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> Sequence[Node]:
        """The values of a list; none of anything else."""
        return self.value if isinstance(self.value, list) else ()

    def at(self, *keys: str) -> Node:
        """What is under a path of keys; null, where this is written, if there is nothing."""
        node = self
        for key in keys:
            node = node.fields.get(key, Node(None, node.origin))
        return node

    @property
    def text(self) -> str:
        """A plain value as text; empty for null, mappings and lists."""
        return "" if self.value is None or isinstance(self.value, (dict, list)) else str(self.value)

    @property
    def plain(self) -> object:
        """The value without its origins."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain for node in self.value]
        return self.value

    def with_field(self, key: str, node: Node) -> Node:
        """This mapping with another value under a key."""
        return Node({**self.fields, key: node}, self.origin)

    def leaves(self) -> Iterator[Node]:
        """Every plain value in it."""
        children = [*self.fields.values(), *self.items]
        if not children:
            yield self
        for child in children:
            yield from child.leaves()


def merged(under: Node, over: Node, key: str = "") -> Node:
    """``over`` on ``under``, as Databricks' command line does it.

    Mappings are merged key by key; tasks, clusters, environments and job parameters by what names them; the items of
    any other list are appended; a plain value replaces. What only gets more fields was written where it was begun.
    """
    if isinstance(under.value, dict) and isinstance(over.value, dict):
        fields = dict(under.value)
        for name, node in over.fields.items():
            fields[name] = merged(fields[name], node, name) if name in fields else node
        return Node(fields, under.origin)
    if isinstance(under.value, list) and isinstance(over.value, list):
        return Node(_merged_items(under.items, over.items, _IDENTITY.get(key)), over.origin)
    return under if under.value == over.value else over


def _merged_items(under: Sequence[Node], over: Sequence[Node], identity: str | None) -> list[Node]:
    found = list(under)
    for node in over:
        name = node.at(identity).text if identity else ""
        same = [
            place
            for place, other in enumerate(found)
            if name and identity and other.at(identity).text == name
        ]
        if same:
            found[same[0]] = merged(found[same[0]], node)
        else:
            found.append(node)
    return found
