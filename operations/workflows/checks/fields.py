"""Fields of resources against the classes of databricks-sdk: no unknown one, none absent, each of its kind."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from typing import Any

from databricks.sdk.service import catalog, jobs, ml, serving

from operations.workflows.bundle import Bundle
from operations.workflows.node import Node

# What a bundle adds to a resource; the levels and privileges are checked apart.
_OF_BUNDLE = frozenset({"permissions", "grants", "lifecycle"})
_HOLDERS: Mapping[object, str] = {list: "a list", dict: "keys and values"}
_PLAIN: Mapping[object, tuple[type, ...]] = {str: (str,), int: (int,), bool: (bool,), float: (int, float)}


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of resource: the class that describes it, what it must have, and who may be given what on it."""

    described_by: type
    required: frozenset[str]
    levels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ServingEndpoint:
    """An endpoint as a bundle describes it; the SDK has no class of the whole."""

    name: str
    config: serving.EndpointCoreConfigInput
    ai_gateway: serving.AiGatewayConfig | None = None
    description: str | None = None
    tags: list[serving.EndpointTag] | None = None


KINDS: Mapping[str, Kind] = {
    "jobs": Kind(
        jobs.JobSettings,
        frozenset({"name", "tasks"}),
        frozenset({"IS_OWNER", "CAN_MANAGE", "CAN_MANAGE_RUN", "CAN_VIEW"}),
    ),
    "schemas": Kind(catalog.SchemaInfo, frozenset({"catalog_name", "name"})),
    "volumes": Kind(catalog.VolumeInfo, frozenset({"catalog_name", "schema_name", "name"})),
    "registered_models": Kind(
        catalog.RegisteredModelInfo, frozenset({"catalog_name", "schema_name", "name"})
    ),
    "experiments": Kind(
        ml.Experiment, frozenset({"name"}), frozenset({"CAN_READ", "CAN_EDIT", "CAN_MANAGE"})
    ),
    "model_serving_endpoints": Kind(
        ServingEndpoint, frozenset({"name", "config"}), frozenset({"CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"})
    ),
    "quality_monitors": Kind(
        catalog.MonitorInfo, frozenset({"table_name", "assets_dir", "output_schema_name"})
    ),
}
# What must be there inside of a job.
_REQUIRED: Mapping[str, frozenset[str]] = {
    "Task": frozenset({"task_key"}),
    "PythonWheelTask": frozenset({"package_name", "entry_point"}),
    "CronSchedule": frozenset({"quartz_cron_expression", "timezone_id"}),
    "JobCluster": frozenset({"job_cluster_key", "new_cluster"}),
    "JobParameterDefinition": frozenset({"name", "default"}),
    "TableUpdateTriggerConfiguration": frozenset({"table_names"}),
    "EndpointCoreConfigInput": frozenset({"served_entities"}),
    "ServedEntityInput": frozenset({"entity_name", "entity_version", "workload_size"}),
    "MonitorInferenceLog": frozenset(
        {"problem_type", "timestamp_col", "granularities", "prediction_col", "model_id_col"}
    ),
    "MonitorCronSchedule": frozenset({"quartz_cron_expression", "timezone_id"}),
}


def check_fields(bundle: Bundle) -> Iterator[str]:
    """Mistakes in the fields of every resource."""
    for kind, resources in bundle.tree.at("resources").fields.items():
        known = KINDS.get(kind)
        if known is None:
            yield f"{resources.origin}: resources of type {kind} are not known here; there are {', '.join(KINDS)}"
            continue
        for key, resource in resources.fields.items():
            where = f"{kind}.{key}"
            described = {name: node for name, node in resource.fields.items() if name not in _OF_BUNDLE}
            yield from _absent(resource, known.required, where)
            yield from _of_class(Node(described, resource.origin), known.described_by, where)
            yield from _rights(resource, known, where)


def _rights(resource: Node, kind: Kind, where: str) -> Iterator[str]:
    for entry in resource.at("permissions").items:
        level = entry.at("level")
        if level.text not in kind.levels:
            yield f"{level.origin}: {where}: {level.text!r} is no level; there are {', '.join(sorted(kind.levels))}"
    for grant in resource.at("grants").items:
        yield from _absent(grant, frozenset({"principal", "privileges"}), f"{where}.grants")
        for privilege in grant.at("privileges").items:
            yield from _value(privilege, catalog.Privilege, f"{where}.grants.privileges")


def _of_class(node: Node, described_by: type, where: str) -> Iterator[str]:
    if not isinstance(node.value, dict):
        yield f"{node.origin}: {where} is {node.value!r}; expected keys and values"
        return
    hints = _hints(described_by)
    yield from _absent(node, _REQUIRED.get(described_by.__name__, frozenset()), where)
    for name, value in node.fields.items():
        if name not in hints:
            near = get_close_matches(name, hints, 1)
            hint = f"; did you mean {near[0]}?" if near else "; remove it"
            yield f"{value.origin}: {where} has no field {name}{hint}"
        elif value.value is not None:
            yield from _value(value, hints[name], f"{where}.{name}")


def _absent(node: Node, required: frozenset[str], where: str) -> Iterator[str]:
    for name in sorted(required):
        value = node.at(name).plain
        # A job parameter may be empty until a run gives it.
        if value in (None, [], {}) or (value == "" and name != "default"):
            yield f"{node.origin}: {where} lacks {name}; add it"


def _value(node: Node, hint: Any, where: str) -> Iterator[str]:
    """Mistakes of a value that is to be of a type of the SDK."""
    wanted = (
        next(part for part in (*typing.get_args(hint), hint) if part is not type(None))
        if _is_union(hint)
        else hint
    )
    kind = typing.get_origin(wanted) or wanted
    if kind in _HOLDERS and not isinstance(node.value, kind):
        yield f"{node.origin}: {where} is {node.value!r}; expected {_HOLDERS[kind]}"
    elif kind is list:
        for item in node.items:
            yield from _value(item, typing.get_args(wanted)[0], where)
    elif isinstance(kind, type) and is_dataclass(kind):
        yield from _of_class(node, kind, where)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from _member(node, [str(member.value) for member in kind], where)
    elif kind in _PLAIN and not _is_plain(node.value, kind):
        yield f"{node.origin}: {where} is {node.value!r}; expected {kind.__name__}"


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in {typing.Union, types.UnionType}


def _member(node: Node, allowed: list[str], where: str) -> Iterator[str]:
    if node.value not in allowed:
        near = get_close_matches(node.text, allowed, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(allowed)}"
        yield f"{node.origin}: {where} is {node.value!r}; {hint}"


def _is_plain(value: object, kind: type) -> bool:
    # For Python, a truth value is a number.
    return isinstance(value, _PLAIN[kind]) and (kind is bool or not isinstance(value, bool))


@cache
def _hints(described_by: type) -> Mapping[str, Any]:
    hints = typing.get_type_hints(described_by)
    return {one.name: hints[one.name] for one in fields(described_by)}
