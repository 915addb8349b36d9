"""Schemas, volumes, models and experiments: names that a workspace takes, and rights that are no wider than needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from operations.workflows.bundle import Bundle

# With any of them a reader could change what fraud decisions rest on.
_TOO_WIDE = frozenset({"ALL_PRIVILEGES", "MANAGE"})
_IDENTIFIER = re.compile(r"[^\s./\x00-\x1f]{1,255}")


def check_storage(bundle: Bundle) -> Iterator[str]:
    """Mistakes in what holds data and models."""
    resources = bundle.tree.at("resources")
    for kind in ("schemas", "volumes", "registered_models"):
        for key, node in resources.at(kind).fields.items():
            name = node.at("name")
            if name.text and not _IDENTIFIER.fullmatch(name.text):
                yield f"{name.origin}: {kind}.{key}: {name.text!r} is no name there; leave out dots and blanks"
            for grant in node.at("grants").items:
                for privilege in grant.at("privileges").items:
                    if privilege.text in _TOO_WIDE:
                        yield f"{privilege.origin}: {kind}.{key}: {privilege.text} is too much; name what is needed"
    for key, node in resources.at("experiments").fields.items():
        name = node.at("name")
        if not name.text.startswith("/"):
            yield f"{name.origin}: experiments.{key}: {name.text!r} is no path of the workspace; begin with /Users/"
