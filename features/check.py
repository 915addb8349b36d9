"""What is wrong with a declared view, all of it at once, before Spark starts. To Spark, case is no difference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import get_args

from features.declare import FeatureGroup, FeatureView, Kind, Link

_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")

# XGBoost's Spark estimator takes columns of these names for its own purposes, silently; and ours are taken.
RESERVED = frozenset(
    [
        "label",
        "weight",
        "baseMargin",
        "validationIndicator",
        "qid",
        "values",
        "as_of",
        "definition_hash",
        "key",
        "stream",
        "row",
        "time",
        "known",
        "role",
        "told",
        "history",
    ]
)


def mistakes(view: FeatureView, logs: Mapping[str, Collection[str]]) -> list[str]:
    """Every mistake of ``view``, each with its file and line; ``logs`` gives the columns of each contract."""
    return [*_of_sources(view, logs), *_of_names(view)]


def _of_sources(view: FeatureView, logs: Mapping[str, Collection[str]]) -> Iterator[str]:
    spine = view.spine
    needed = [spine.row, *view.keys, *spine.context, *(c.sql for c in spine.own)]
    yield from _absent(f"{spine.declared}: spine of {view.name}", spine.source, needed, logs)
    for group in view.groups:
        where = f"{group.declared}: group of {group.entity.name}"
        wanted = [m.of for m in group.measures if m.of is not None]
        if isinstance(group.source, Link):
            yield from _absent(where, group.source.source, [group.source.on, *wanted], logs)
            yield from _absent(where, group.source.through, [group.source.subject, *group.keys], logs)
        else:
            yield from _absent(where, group.source, [*group.keys, *wanted], logs)
        yield from (f"{where} {mistake}" for mistake in _of_group(group))


def _of_group(group: FeatureGroup) -> Iterator[str]:
    if not group.windows or not group.measures:
        yield "has no windows or no measures; give one of each"
    if len(group.keys) != len(group.entity.keys):
        yield f"has {len(group.keys)} keys in {group.key_log}, the entity has {len(group.entity.keys)}; name as many"
    for measure in group.measures:
        if measure.kind not in get_args(Kind):
            yield f"measures {measure.name} by {measure.kind}; there are {', '.join(get_args(Kind))}"
    spans = [(f"measure {m.name}", m.span) for m in group.measures if m.span is not None]
    for what, window in [*(("the group", window) for window in group.windows), *spans]:
        if window.micros is not None and window.micros < 1:
            yield f"looks at {window.label} in {what}; a window is at least a microsecond long"
        if what != "the group" and window.micros is None:
            yield f"has lifetime as the span of {what}; give it a length"


def _absent(
    where: str, source: str, names: Collection[str], logs: Mapping[str, Collection[str]]
) -> Iterator[str]:
    if source not in logs:
        yield f"{where}: no contract declares the log {source}; there are {', '.join(sorted(logs))}"
        return
    lacking = [
        name for name in dict.fromkeys(names) if _PLAIN_NAME.fullmatch(name) and name not in logs[source]
    ]
    if lacking:
        yield f"{where}: {source} has no column {', '.join(lacking)}; it has {', '.join(sorted(logs[source]))}"


def _of_names(view: FeatureView) -> Iterator[str]:
    for name, times in Counter(name.lower() for name in view.features).items():
        if times > 1:
            yield f"{view.declared}: view {view.name} names {name} {times} times; rename a measure"
    reserved = {name.lower() for name in RESERVED}
    kept = {view.spine.row, *view.keys, *view.spine.context}
    context = {name.lower() for name in kept}
    for name in dict.fromkeys(view.features):
        if not _PLAIN_NAME.fullmatch(name):
            yield f"{view.declared}: view {view.name} names a feature {name!r}; use letters, digits and underscores"
        if name.lower() in reserved:
            yield f"{view.declared}: view {view.name} names a feature {name}, which is reserved; rename it"
        if name.lower() in context:
            what = f"{name} of view {view.name} is a key or context, and a feature too"
            yield f"{view.declared}: {what}; rename the feature"
