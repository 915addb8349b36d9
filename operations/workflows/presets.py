"""What a target's mode and presets do to its resources: names are prefixed, schedules wait or are taken away."""

from __future__ import annotations

import re

from operations.workflows.node import Node

DEVELOPMENT, PRODUCTION = "development", "production"
PAUSED, UNPAUSED = "PAUSED", "UNPAUSED"
TRIGGERS = ("schedule", "trigger", "continuous")

# Where blanks and brackets may be part of a name; elsewhere the prefix is an identifier.
_SPOKEN = frozenset({"jobs", "experiments"})


def with_presets(tree: Node, mode: str) -> Node:
    """The bundle with the names and pauses of its target."""
    user = tree.at("workspace", "current_user", "short_name").text
    spoken = tree.at("presets", "name_prefix").text
    pause = tree.at("presets", "trigger_pause_status").text
    if mode == DEVELOPMENT:
        spoken, pause = spoken or f"[dev {user}] ", pause or PAUSED
    quiet = re.sub(r"\W+", "_", spoken).lstrip("_")
    resources = tree.at("resources")
    for kind, found in resources.fields.items():
        prefix = spoken if kind in _SPOKEN else quiet
        for key, resource in found.fields.items():
            changed = _named(resource, kind, prefix)
            if kind == "jobs":
                changed = _paused(changed, pause)
            elif kind == "quality_monitors" and mode == DEVELOPMENT:
                changed = changed.with_field("schedule", Node(None, changed.origin))
            resources = resources.with_field(kind, resources.at(kind).with_field(key, changed))
    return tree.with_field("resources", resources)


def _named(resource: Node, kind: str, prefix: str) -> Node:
    name = resource.at("name")
    # A volume lies in a schema that has its prefix already.
    if not prefix or kind == "volumes" or not name.text:
        return resource
    folder, slash, last = name.text.rpartition("/")
    return resource.with_field("name", Node(f"{folder}{slash}{prefix}{last}", name.origin))


def _paused(job: Node, pause: str) -> Node:
    for trigger in TRIGGERS:
        node = job.at(trigger)
        if pause and node.fields and "pause_status" not in node.fields:
            job = job.with_field(trigger, node.with_field("pause_status", Node(pause, node.origin)))
    return job
